import assert from "node:assert/strict";
import { parseSignature, sign, verify } from "../../lib/github/signature.ts";

const encoder = new TextEncoder();

Deno.test("the signature of GitHub's own example is understood", () => {
  // GitHub docs, "Validating webhook deliveries", "Testing the webhook payload validation".
  const body = encoder.encode("Hello, World!");
  const secret = "It's a Secret to Everybody";
  const expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  assert.equal(sign(body, secret), expected);
  assert.ok(verify(body, secret, parseSignature(expected)!));
});

Deno.test("another body, another secret and another signature are refused", () => {
  const body = encoder.encode("{}");
  const good = parseSignature(sign(body, "secret"))!;
  assert.ok(verify(body, "secret", good));
  assert.ok(!verify(encoder.encode("{} "), "secret", good));
  assert.ok(!verify(body, "Secret", good));
  for (let bit = 0; bit < 256; bit++) {
    const flipped = good.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assert.ok(!verify(body, "secret", flipped));
  }
});

Deno.test("what is no signature is told apart from a wrong one", () => {
  const digits = "0".repeat(64);
  const malformed = ["", "sha256=", digits, `sha1=${digits}`, `SHA256=${digits}`];
  malformed.push(`sha256=${digits}0`, `sha256= ${digits.slice(1)}`, `sha256=${digits}\n`);
  for (const text of malformed) assert.equal(parseSignature(text), undefined, text);
  assert.equal(parseSignature(`sha256=${"aB".repeat(32)}`)?.length, 32);
});
