import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeText } from "../../lib/messages/codec.ts";

Deno.test("text of any kind reads as a strict decoder reads it", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.nat(8), (text, before) => {
    const bytes = new TextEncoder().encode(text);
    // A part of a larger buffer, as bodies from a socket are.
    const part = new Uint8Array(before + bytes.length + 1).subarray(before, before + bytes.length);
    part.set(bytes);
    assert.equal(decodeText(part), decoder.decode(part));
  }));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    let expected: string | undefined;
    try {
      expected = decoder.decode(bytes);
    } catch {
      assert.throws(() => decodeText(bytes), TypeError);
      return;
    }
    assert.equal(decodeText(bytes), expected);
  }));
});
