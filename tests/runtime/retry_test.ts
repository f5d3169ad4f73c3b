/** When a message is tried again. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { delayLevel } from "../../lib/broker/rabbitmq/delays.ts";
import { NotThereYet, PoisonMessage, TransientFault } from "../../lib/common/errors.ts";
import {
  isLastTry,
  MAX_BUG_TRIES,
  MAX_TRIES,
  MISSING_TRIES,
  RETRY_DELAYS_MS,
  retryDelay,
  retryIfEarly,
} from "../../lib/runtime/retry.ts";
import { Requeue } from "../../lib/runtime/role.ts";

Deno.test("delays grow, are bounded and spread", () => {
  const delays = Array.from(
    { length: MAX_TRIES },
    (_, n) => retryDelay({ tries: n + 1, random: 0 }),
  );
  assert.deepEqual(delays.slice(0, RETRY_DELAYS_MS.length), [...RETRY_DELAYS_MS]);
  assert.equal(delays.at(-1), RETRY_DELAYS_MS.at(-1));
  assert.equal(retryDelay({ tries: 1, random: 0.5 }), 5_625);
  assert.equal(retryDelay({ tries: 1, random: 0, retryAfterMs: 90_000 }), 90_000);
  assert.equal(retryDelay({ tries: 1, random: 0, retryAfterMs: 1e9 }), 3_600_000);
  assert.equal(retryDelay({ tries: 1, random: 0, scale: 0.01 }), 50);
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
    [new TransientFault("down"), MAX_TRIES - 1, false],
    [new TransientFault("down"), MAX_TRIES, true],
    [new Error("bug"), MAX_BUG_TRIES - 1, false],
    [new Error("bug"), MAX_BUG_TRIES, true],
    [new PoisonMessage("bad"), 1, true],
    [new Requeue("stop"), MAX_TRIES, false],
  ];
  for (const [error, tries, last] of table) {
    assert.equal(isLastTry(error, tries), last);
  }
});

Deno.test("what is missing is looked for within seconds, for minutes, and is then believed to be gone", () => {
  const missing = new Error("Cannot find ref: refs/pull/7/head");
  let waited = 0;
  for (let tries = 1; tries < MISSING_TRIES; tries++) {
    assert.throws(() => retryIfEarly(missing, tries), NotThereYet);
    const delay = retryDelay({ tries, missing: true, random: 0 });
    assert.ok(delay <= waited + 5_000, "never more than twice as late as it came");
    waited += delay;
  }
  assert.doesNotThrow(() => retryIfEarly(missing, MISSING_TRIES));
  assert.ok(waited >= 180_000 && waited <= 600_000, `${waited}`);
  assert.ok(MISSING_TRIES < MAX_TRIES, "the final word comes before the dead letters");
});
