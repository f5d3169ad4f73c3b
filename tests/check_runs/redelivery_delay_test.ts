/** What a poster does after a redelivery: the instance before it may still be writing the same check runs. */
import assert from "node:assert/strict";
import { ack } from "../../lib/broker/broker.ts";
import { decodeCheckMessage } from "../../lib/check_runs/message.ts";
import { RedeliveryDelay } from "../../lib/check_runs/redelivery_delay.ts";
import { Requeue } from "../../lib/runtime/role.ts";
import {
  delays,
  delivery,
  MINUTE,
  NAME,
  queued,
  result,
  settled,
  started,
  wire,
  world,
} from "./reconciler_world.ts";

/** A delay, and the names of those it let pass, in order. */
function redeliveryDelay() {
  const { delay, pass } = delays({ now: 0 });
  const redeliveryDelay = new RedeliveryDelay({ redeliveryDelayMs: 15_000, delay });
  const passed: string[] = [];
  const stop = new AbortController();
  const come = async (name: string, fields: Parameters<typeof delivery>[0] = {}) => {
    if (await redeliveryDelay.wait(delivery(fields), stop.signal)) passed.push(name);
  };
  return { come, passed, pass, stop };
}

Deno.test("After a redelivery GitHub is asked nothing until the dead instance's request must have ended", async () => {
  const { github, tell, pass } = world();
  const told = [
    tell(queued(), { redelivered: true }),
    tell(started()),
    tell(wire("build_result_v1_error")),
  ];
  await pass(14_999);
  assert.equal(github.requests, 0);
  await pass(1);
  const settlements = (await Promise.all(told)).map(({ settle }) => settle);
  assert.deepEqual(settlements, [ack, ack, ack]);
  assert.equal(github.only(NAME).status, "in_progress");
});

Deno.test("Messages pass in the order they came, also one that comes when the wait is over", async () => {
  const { come, passed, pass } = redeliveryDelay();
  await come("before");
  const coming = [come("one", { redelivered: true })];
  await pass(5_000);
  coming.push(come("two"), come("three", { redelivered: true }), come("four"));
  await pass(10_000);
  assert.deepEqual(passed, ["before"], "the second redelivery made it longer");
  const last = pass(5_000);
  coming.push(come("five"));
  await Promise.all([...coming, last]);
  assert.deepEqual(passed, ["before", "one", "two", "three", "four", "five"]);
  await come("six");
  assert.equal(passed.at(-1), "six");
});

Deno.test("A delivery that is lost meanwhile is somebody else's, and holds nobody up", async () => {
  const { github, tell, pass } = world();
  const channel = new AbortController();
  const old = tell(result(), { redelivered: true, lost: channel.signal });
  await pass(10_000);
  channel.abort();
  assert.deepEqual(await old, { publish: [], settle: ack });
  const again = tell(result(), { redelivered: true });
  await pass(14_999);
  assert.equal(github.requests, 0);
  await pass(1);
  await again;
  assert.deepEqual(github.writes, [`create ${NAME} success`]);
});

Deno.test("A role that stops does not wait: all that waits is requeued", async () => {
  const { github, tell, stop } = world();
  const told = [tell(queued(), { redelivered: true }), tell(started())];
  await settled();
  stop.abort();
  for (const each of told) await assert.rejects(each, Requeue);
  assert.equal(github.requests, 0);
});

Deno.test("A check run that has ended is not set back by a request of an instance that lost its broker", async () => {
  const { github, tell, clock } = world();
  const heir = world(github, clock);
  await tell(queued());
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  github.slowUpdate = () => {
    reached.resolve();
    return released.promise;
  };
  const late = tell(started());
  await reached.promise;
  const told = [heir.tell(started(), { redelivered: true }), heir.tell(result())];
  await settled();
  assert.equal(github.writes.length, 1, "the heir writes nothing yet");
  released.resolve();
  await late;
  await heir.pass(15_000);
  await Promise.all(told);
  assert.equal(github.only(NAME).conclusion, "success");
});

Deno.test("Nothing is given up while the instance before may still be writing", async () => {
  const { github, tell, clock, pass } = world();
  const { publish: [watch] } = await tell(queued());
  clock.now += 361 * MINUTE;
  const looked = tell(decodeCheckMessage(watch!.body), { redelivered: true });
  await pass(14_999);
  assert.equal(github.only(NAME).status, "queued");
  await pass(1);
  await looked;
  assert.equal(github.only(NAME).conclusion, "failure");
});
