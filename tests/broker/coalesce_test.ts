import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { Writable } from "node:stream";
import { delay } from "../../lib/async.ts";
import { coalesceWrites } from "../../lib/broker/rabbitmq_coalesce.ts";

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
});

Deno.test("turn after turn of messages is written whole and in order, however the writes are paced", async () => {
  const { stream, calls } = notingStream();
  let expected = "";
  for (let turn = 0; turn < 200; turn++) {
    for (let message = 0; message < 1 + turn % 3; message++) {
      publish(stream, `<${turn}.${message}>`);
      expected += `<${turn}.${message}>`;
    }
    await new Promise(setImmediate);
  }
  while (calls.join("").length < expected.length) await delay(1);
  assert.equal(calls.join(""), expected);
});

Deno.test("a stream that is closed leaves no write behind", async () => {
  const { stream } = notingStream();
  for (const message of ["ab", "cd"]) publish(stream, message);
  await new Promise(setImmediate);
  publish(stream, "ef");
  stream.destroy();
  await once(stream, "close");
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
