import assert from "node:assert/strict";
import { type CheckMessage, decodeCheckMessage } from "../../lib/check_runs/message.ts";
import { encode } from "../../lib/messages/codec.ts";
import type { HandlerResult } from "../../lib/runtime/role.ts";
import { MINUTE, NAME, queued, result, started, world } from "./reconciler_world.ts";

async function watchOf(outcome: Promise<HandlerResult>): Promise<CheckMessage> {
  const { publish } = await outcome;
  assert.equal(publish.length, 1);
  assert.equal(publish[0]!.routingKey, "tickborg.check-runs");
  return decodeCheckMessage(publish[0]!.body);
}

Deno.test("A check run that no builder serves ends red, says what to do, and a late result still wins", async () => {
  const { github, tell, clock, queue } = world();
  queue.consumers = 0;
  const watch = await watchOf(tell(queued()));
  assert.match(github.only(NAME).title, /Waiting: no builder is connected for x86_64-linux/);
  const early = await tell(watch);
  assert.deepEqual(early.settle, { kind: "retry", delayMs: 15 * MINUTE, reason: "Watching" });
  clock.now += 15 * MINUTE;
  assert.equal((await tell(watch)).settle.kind, "ack");
  const run = github.only(NAME);
  assert.equal(run.conclusion, "failure");
  assert.equal(run.title, "No builder serves x86_64-linux");
  assert.match(run.summary, /`@tickbot build cmark`/);
  await tell(started());
  assert.equal(github.only(NAME).status, "in_progress");
  await tell(result());
  assert.equal(github.only(NAME).conclusion, "success");
  assert.equal((await tell(watch)).settle.kind, "ack");
  assert.equal(github.only(NAME).conclusion, "success");
});

Deno.test("A builder that comes in time leaves the check run alone", async () => {
  const { github, tell, clock, queue } = world();
  queue.consumers = 0;
  const watch = await watchOf(tell(queued()));
  clock.now += 14 * MINUTE;
  queue.consumers = 1;
  await tell(watch);
  clock.now += 2 * MINUTE;
  queue.consumers = 0;
  assert.equal((await tell(watch)).settle.kind, "retry");
  assert.equal(github.only(NAME).status, "queued");
});

Deno.test("A check run without news for too long ends red", async () => {
  const { github, tell, clock } = world();
  const watch = await watchOf(tell(queued()));
  await tell(started());
  clock.now += 300 * MINUTE;
  assert.equal((await tell(watch)).settle.kind, "retry");
  clock.now += 62 * MINUTE;
  assert.equal((await tell(watch)).settle.kind, "ack");
  assert.equal(github.only(NAME).conclusion, "failure");
  assert.equal(github.only(NAME).title, "No news from the builder for 6 h 1 min");
  await tell(started());
  assert.equal(github.only(NAME).conclusion, "failure", "the same attempt brings no news");
});

Deno.test("A watch of an older sweep, which says that it looks once, is a watch like any", async () => {
  const { publish } = await world().tell(queued());
  const watch = JSON.parse(new TextDecoder().decode(publish[0]!.body));
  const old = decodeCheckMessage(encode({ ...watch, once: true }));
  assert.deepEqual(old, decodeCheckMessage(publish[0]!.body));
});
