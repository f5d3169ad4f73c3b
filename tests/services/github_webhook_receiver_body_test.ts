/** Bodies of webhooks: large, endless, slow, and with lies about their length. */
import assert from "node:assert/strict";
import { expect, PAYLOAD, signedHeaders, story } from "../support/receiver.ts";

const encoder = new TextEncoder();

story("a body of 24 MB is taken whole, declared or chunked", async ({ port, broker, send }) => {
  const filler = "x".repeat(24 * 1024 * 1024);
  const text = PAYLOAD.replace("{", `{"filler":"${filler}",`);
  await expect(await send(text), 202, /^Queued/);
  const body = encoder.encode(text);
  const chunked = await fetch(`http://127.0.0.1:${port}/`, {
    method: "POST",
    body: new Blob([body]).stream(),
    headers: signedHeaders(body),
  });
  await expect(chunked, 202, /^Queued/);
  assert.deepEqual(broker.published.map((it) => it.body.byteLength), [body.length, body.length]);
});

story("a declared body of more than 25 MiB is refused before it is read", async ({ port }) => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 26214401\r\n\r\n";
  assert.match(await rawExchange(port, head), /^HTTP\/1\.1 413 [\s\S]*Body too large/);
});

story("a chunked body is refused as soon as it is more than 25 MiB", async ({ port, broker }) => {
  const megabyte = new Uint8Array(1024 * 1024);
  let sent = 0;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      sent++;
      controller.enqueue(megabyte);
      if (sent === 200) controller.close();
    },
  });
  const options = {
    method: "POST",
    body: endless,
    headers: { "content-type": "application/json" },
  };
  // Where the client is still sending when the answer comes, it may see the connection end instead.
  const response = await fetch(`http://127.0.0.1:${port}/`, options).catch(() => undefined);
  if (response) await expect(response, 413, /^Body too large/);
  assert.ok(sent < 200, `${sent} MB were read`);
  assert.deepEqual(broker.published, []);
});

story("a length that lies about a chunked body does not matter", async ({ port }) => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n";
  const answer = await rawExchange(port, `${head}Content-Length: 1\r\n\r\n2\r\n{}\r\n0\r\n\r\n`);
  assert.match(answer, /^HTTP\/1\.1 400 /);
});

story("slow bodies are given up", async ({ port, broker }) => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
  const small = `${head}Content-Length: 100\r\n\r\n{`;
  assert.match(await rawExchange(port, small), /^HTTP\/1\.1 408 [\s\S]*Body too slow/);
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`;
  assert.match(await rawExchange(port, chunked), /^HTTP\/1\.1 408 [\s\S]*Body too slow/);
  assert.deepEqual(broker.published, []);
}, { bodyWithinMs: 200 });

story(
  "headers of hostile form end the connection or the request, not the role",
  async (receiver) => {
    const { port, send } = receiver;
    const heads = [
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
      `POST / HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: ${"a".repeat(100_000)}\r\n\r\n`,
      "POST / HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
      "\0\0\0\0",
    ];
    for (const head of heads) assert.doesNotMatch(await rawExchange(port, head), /^HTTP\/1\.1 2/);
    await expect(await send(PAYLOAD), 202, /^Queued/);
  },
  { bodyWithinMs: 200 },
);

/** Writes bytes to a connection and reads what comes back until the server closes it or has answered. */
async function rawExchange(port: number, text: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  let answer = "";
  try {
    await connection.write(bytes);
    const buffer = new Uint8Array(65_536);
    while (!/\r\n\r\n[\s\S]+/.test(answer)) {
      const size = await connection.read(buffer);
      if (size === null) break;
      answer += new TextDecoder("latin1").decode(buffer.subarray(0, size));
    }
  } catch {
    // A reset is one of the answers to hostile bytes.
  } finally {
    connection.close();
  }
  return answer;
}
