/** When a message is tried again. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { delayLevel } from "../lib/broker/rabbitmq/delays.ts";
import { PoisonMessage, TransientFault } from "../lib/errors.ts";
import {
  isLastAttempt,
  MAX_ATTEMPTS,
  MAX_BUG_ATTEMPTS,
  RETRY_DELAYS_MS,
  retryDelay,
} from "../lib/retry.ts";
import { HandBack } from "../lib/role.ts";

Deno.test("delays grow, are bounded and spread", () => {
  const delays = Array.from(
    { length: MAX_ATTEMPTS },
    (_, n) => retryDelay({ attempt: n + 1, random: 0 }),
  );
  assert.deepEqual(delays.slice(0, RETRY_DELAYS_MS.length), [...RETRY_DELAYS_MS]);
  assert.equal(delays.at(-1), RETRY_DELAYS_MS.at(-1));
  assert.equal(retryDelay({ attempt: 1, random: 0.5 }), 5_625);
  assert.equal(retryDelay({ attempt: 1, random: 0, retryAfterMs: 90_000 }), 90_000);
  assert.equal(retryDelay({ attempt: 1, random: 0, retryAfterMs: 1e9 }), 3_600_000);
  assert.equal(retryDelay({ attempt: 1, random: 0, scale: 0.01 }), 50);
});

Deno.test("a delay waits in a queue that is long enough, and not more than twice as long", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 3_600_000 }), (delayMs) => {
    const level = delayLevel(delayMs);
    assert.ok(level >= delayMs);
    assert.ok(level === 250 || level < 2 * delayMs);
  }));
});

Deno.test("a message is given up at once, after some attempts, or never", () => {
  const table: [unknown, number, boolean][] = [
    [new TransientFault("down"), MAX_ATTEMPTS - 1, false],
    [new TransientFault("down"), MAX_ATTEMPTS, true],
    [new Error("bug"), MAX_BUG_ATTEMPTS - 1, false],
    [new Error("bug"), MAX_BUG_ATTEMPTS, true],
    [new PoisonMessage("bad"), 1, true],
    [new HandBack("stop"), MAX_ATTEMPTS, false],
  ];
  for (const [error, attempt, last] of table) {
    assert.equal(isLastAttempt(error, attempt), last);
  }
});
