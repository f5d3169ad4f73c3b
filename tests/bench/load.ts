/** Sends signed webhooks as fast as they are answered, from a process of its own; prints requests a second. */
import { createHmac } from "node:crypto";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

const [port, secret, payloadFile, seconds, connections] = Deno.args as [
  string,
  string,
  string,
  string,
  string,
];
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

let answered = 0;
let refused = 0;
const end = performance.now() + Number(seconds) * 1_000;

/** One connection: a request, its answer, the next request. Answers are short and come in one piece. */
function run(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.on("data", (data) => {
      if (/^HTTP\/1\.1 2/.test(data.toString("latin1", 0, 12))) answered++;
      else refused++;
      if (performance.now() > end) socket.end();
      else socket.write(request);
    });
    socket.write(request);
  });
}

const start = performance.now();
await Promise.all(
  Array.from(
    { length: Number(connections) },
    () => run(connect({ port: Number(port), host: "127.0.0.1", noDelay: true })),
  ),
);
const elapsed = (performance.now() - start) / 1_000;
console.log(JSON.stringify({ perSecond: answered / elapsed, answered, refused }));
