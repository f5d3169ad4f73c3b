/** Sends signed webhooks as fast as they are answered, from a process of its own; prints requests a second. */
import { createHmac } from "node:crypto";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

const [secret, payloadFile] = Deno.args.slice(1, 3) as [string, string];
const [port, warmUpSeconds, seconds, connections] = [0, 3, 4, 5].map((at) =>
  Number(Deno.args[at])
) as [number, number, number, number];
const body = Buffer.from(await Deno.readFile(payloadFile));
const signature = createHmac("sha256", secret).update(body).digest("hex");
const request = Buffer.concat([
  Buffer.from(
    `POST /github-webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
      `X-GitHub-Event: pull_request\r\nX-GitHub-Delivery: 72d3162e-cc78-11e3-81ab-4c9367dc0958\r\n` +
      `X-Hub-Signature-256: sha256=${signature}\r\nContent-Length: ${body.length}\r\n\r\n`,
  ),
  body,
]);

const start = performance.now() + warmUpSeconds * 1_000;
const end = start + seconds * 1_000;
let answered = 0;
let accepted = 0;
let refused = 0;

/** One connection: a request, its answer, the next request. Answers are short and come in one piece. */
function run(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.on("data", (data) => {
      const now = performance.now();
      if (/^HTTP\/1\.1 2/.test(data.toString("latin1", 0, 12))) accepted++;
      else refused++;
      if (now >= start && now < end) answered++;
      if (now >= end) socket.end();
      else socket.write(request);
    });
    socket.write(request);
  });
}

await Promise.all(
  Array.from(
    { length: connections },
    () => run(connect({ port, host: "127.0.0.1", noDelay: true })),
  ),
);
console.log(JSON.stringify({ perSecond: answered / seconds, accepted, refused }));
