/** How long the runner has a message wait, and what it does when nobody can be told that it gives up. */
import assert from "node:assert/strict";
import type { Settlement } from "../../lib/broker/broker.ts";
import { PoisonMessage, TransientFault } from "../../lib/common/errors.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { MAX_BUG_TRIES, MAX_TRIES, RETRY_DELAYS_MS } from "../../lib/runtime/retry.ts";
import { startService } from "../../lib/runtime/runner.ts";
import { RecordingBroker } from "../support/recording_broker.ts";

interface Scene {
  /** What the handler throws. */
  readonly error: Error;
  readonly tries?: number;
  readonly retryScale?: number;
  /** What publishing whom to tell meets. */
  readonly publishing?: Error;
}

/** What becomes of a delivery whose handler throws. */
async function settlementOf(scene: Scene): Promise<Settlement> {
  const { error, tries = 1, publishing, ...scale } = scene;
  const broker = new RecordingBroker();
  broker.fail = publishing;
  const service = await startService({
    consumers: [{
      queue: "q",
      prefetch: 1,
      decode: () => undefined,
      handle: () => Promise.reject(error),
      exhausted: () => [{ exchange: "", routingKey: "told", body: new Uint8Array() }],
    }],
  }, { broker, log: roleLogger("test"), ...scale });
  const settlement = await broker.deliver("q", { tries });
  await service.stop(0);
  return settlement;
}

/** Milliseconds that the delivery waits for its next try. */
async function delayOf(scene: Scene): Promise<number> {
  const settlement = await settlementOf(scene);
  assert.equal(settlement.kind, "retry");
  return (settlement as Settlement & { kind: "retry" }).delayMs;
}

Deno.test("a message waits as long as its tries's delay says, and a quarter more at most", async () => {
  const error = new TransientFault("GitHub is away");
  for (const [index, base] of RETRY_DELAYS_MS.entries()) {
    const delay = await delayOf({ error, tries: index + 1 });
    assert.ok(delay >= base && delay <= 1.25 * base, `tries ${index + 1}: ${delay} ms`);
  }
  const bug = await delayOf({ error: new TypeError("undefined is not a function") });
  assert.ok(bug >= 5_000, `${bug} ms`);
});

Deno.test("a message waits as long as the other side asked", async () => {
  const error = new TransientFault("Limit reached", { retryAfterMs: 90_000 });
  assert.equal(await delayOf({ error }), 90_000);
});

Deno.test("a message is kept while nobody can be told that it is given up", async () => {
  const publishing = new TransientFault("The broker is away");
  const last: Scene[] = [
    { error: new PoisonMessage("No such repository") },
    { error: new TransientFault("GitHub is away"), tries: MAX_TRIES },
    { error: new TypeError("undefined is not a function"), tries: MAX_BUG_TRIES },
  ];
  for (const scene of last) {
    assert.equal(await delayOf({ ...scene, publishing }), 60_000);
    assert.equal(await delayOf({ ...scene, publishing, retryScale: 0.01 }), 600);
    assert.equal((await settlementOf(scene)).kind, "dead");
  }
  const bug = { ...last[0]!, publishing: new TypeError("Cannot encode") };
  assert.equal((await settlementOf(bug)).kind, "dead", "a bug in telling is no reason to keep it");
});
