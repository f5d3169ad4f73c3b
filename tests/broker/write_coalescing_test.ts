import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { Writable } from "node:stream";
import { coalesceWrites } from "../../lib/broker/rabbitmq/write_coalescing.ts";

/** A stream that notes each call of the system, as text. */
function notingStream(): { stream: Writable; calls: string[] } {
  const calls: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      calls.push(chunk.toString());
      done();
    },
    writev: (chunks: { chunk: Buffer }[], done) => {
      calls.push(chunks.map(({ chunk }) => chunk.toString()).join(""));
      done();
    },
  });
  coalesceWrites(stream as unknown as Parameters<typeof coalesceWrites>[0]);
  return { stream, calls };
}

/** Writes as the client does: each message's frames between a cork and an uncork. */
function publish(stream: Writable, message: string): void {
  stream.cork();
  for (const frame of message) stream.write(frame);
  stream.uncork();
}

Deno.test("messages of one turn are written with one call, in order", async () => {
  const { stream, calls } = notingStream();
  publish(stream, "abc");
  publish(stream, "def");
  assert.deepEqual(calls, []);
  await new Promise(setImmediate);
  assert.deepEqual(calls, ["abcdef"]);
  publish(stream, "gh");
  await new Promise(setImmediate);
  assert.deepEqual(calls, ["abcdef", "gh"]);
});

Deno.test("a stream that was corked for longer, as on a blocked connection, waits for its own uncork", async () => {
  const { stream, calls } = notingStream();
  stream.cork();
  publish(stream, "abc");
  await new Promise(setImmediate);
  assert.deepEqual(calls, []);
  stream.uncork();
  await new Promise(setImmediate);
  assert.deepEqual(calls, ["abc"]);
});

Deno.test("a stream that ends in the same turn writes everything first", async () => {
  const { stream, calls } = notingStream();
  publish(stream, "abc");
  stream.end("d");
  await once(stream, "finish");
  assert.equal(calls.join(""), "abcd");
});
