import assert from "node:assert/strict";
import { deadHeaders, HEADER } from "../../lib/broker/envelope.ts";
import { bodyText } from "../../lib/broker/dead_letters.ts";
import type { Delivery } from "../../lib/broker/broker.ts";
import { byteLength, cutToBytes } from "../../lib/text/utf8.ts";

const CUTS: [text: string, bytes: number, cut: string][] = [
  ["", 0, ""],
  ["abc", 3, "abc"],
  ["abc", 2, "ab"],
  ["äöü", 6, "äöü"],
  ["äöü", 5, "äö"],
  ["→", 2, ""],
  ["a😀b", 4, "a"],
  ["a😀b", 5, "a😀"],
  ["a\ud800b", 4, "a\ud800"],
];

for (const [text, bytes, cut] of CUTS) {
  Deno.test(`${JSON.stringify(text)} cut to ${bytes} bytes`, () => {
    assert.equal(cutToBytes(text, bytes), cut);
  });
}

Deno.test("The reason in a dead letter's header takes no more than 4,000 bytes", () => {
  const delivery = { headers: {}, queue: "q" } as Delivery;
  const headers = deadHeaders(delivery, { reason: "→".repeat(3_000), time: new Date(0) });
  assert.equal(byteLength(headers[HEADER.reason] as string), 3_999);
});

Deno.test("The body of a dead letter that is shown takes no more than 64 KiB", () => {
  const body = "→".repeat(64 * 1024);
  const letter = { id: "", time: "", reason: "", queue: "", exchange: "", routingKey: "" };
  const [shown, note] = bodyText({ ...letter, tries: 1, bytes: byteLength(body), body })
    .split("\n");
  assert.equal(byteLength(shown!.trim()), 64 * 1024 - 1);
  assert.match(note!, /cut; all 196608 bytes/);
});
