/** Side by side with the Rust bot: its jobs are built by us, and what we answer is what it can read. */
import assert from "node:assert/strict";
import { ack, type Delivery } from "../../lib/broker/broker.ts";
import { parseJson } from "../../lib/messages/codec.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { buildQueue, QUEUE } from "../../lib/broker/topology.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import {
  type RabbitMqServer,
  startRabbitMq,
  type Vhost,
  withoutRabbitMq,
} from "../../testing/rabbitmq.ts";

const SYSTEM = hostSystem();
const sample = (name: string) =>
  JSON.parse(Deno.readTextFileSync(new URL(`../data/wire/${name}.json`, import.meta.url)));

/** What a Rust peer's decoder knows; it ignores every other key. */
const RESULT_KEYS = Object.keys(sample("build_result_v1"));
const LOG_KEYS = Object.keys(sample("build_log_msg"));

function known(message: unknown, keys: readonly string[]): Record<string, unknown> {
  const all = message as Record<string, unknown>;
  return Object.fromEntries(keys.filter((key) => key in all).map((key) => [key, all[key]]));
}

/** Takes messages of a queue until one fits. */
async function takeUntil(fleet: Fleet, queue: string, fits: (message: unknown) => boolean) {
  const taken: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const subscription = await fleet.broker.consume(
    { queue, prefetch: 100 },
    (delivery: Delivery) => {
      taken.push(parseJson(delivery.body));
      if (fits(taken.at(-1))) resolve();
      return Promise.resolve(ack);
    },
  );
  await promise;
  await subscription.cancel();
  return taken;
}

/** A job as the Rust filter writes it: no field of ours, several projects, the wire's defaults left out. */
async function rustJob(fleet: Fleet) {
  const { owner, name, fullName, cloneUrl } = fleet.monorepo;
  const head = await fleet.monorepo.commit("change", { "cmark/x": "2\n" });
  await fleet.monorepo.setPullHead(42, head);
  const job = sample("build_job");
  return {
    ...job,
    repo: { owner, name, full_name: fullName, clone_url: cloneUrl },
    pr: { ...job.pr, head_sha: head },
  };
}

function tell(broker: string, vhost: () => Promise<Vhost | undefined>, ignore: boolean) {
  Deno.test({
    name:
      `${broker}: a job in the old form is built, and its result reads as a Rust poster expects`,
    ignore,
    async fn() {
      const host = await vhost();
      const fleet = await startFleet({
        files: { "cmark/x": "1\n", "neozip/y": "1\n" },
        projects: [
          { name: "cmark", path: "cmark", build_system: { Custom: { command: "cat x" } } },
          {
            name: "neozip",
            path: "neozip",
            build_system: { Custom: { command: "cat y; exit 1" } },
          },
        ],
        roles: ["builder"],
        configure: (config) => {
          config.builder = { ...config.builder as object, log_messages: "single" };
        },
        ...(host && { vhost: host }),
      });
      try {
        const job = await rustJob(fleet);
        const body = new TextEncoder().encode(JSON.stringify(job));
        await fleet.broker.publish([{ exchange: "", routingKey: buildQueue(SYSTEM), body }]);
        const [result] = await takeUntil(fleet, QUEUE.buildResults, () => true);
        const read = known(result, RESULT_KEYS);
        assert.deepEqual(Object.keys(read).sort(), RESULT_KEYS.toSorted());
        const { output, attempt_id, ...rest } = read;
        assert.deepEqual(rest, {
          tag: "V1",
          repo: job.repo,
          pr: job.pr,
          system: SYSTEM,
          request_id: job.request_id,
          status: "Failure",
          skipped_attrs: [],
          attempted_attrs: ["cmark", "neozip"],
        });
        assert.ok((output as string[]).every((line) => typeof line === "string"));
        const log = await takeUntil(fleet, QUEUE.logs, (message) => "tag" in (message as object));
        const lines = log.filter((message) => "line_number" in (message as object));
        lines.forEach((line, index) => {
          assert.deepEqual(Object.keys(line as object).sort(), LOG_KEYS.toSorted());
          assert.equal((line as { line_number: number }).line_number, index + 1);
          assert.equal((line as { attempt_id: string }).attempt_id, attempt_id);
        });
        const text = lines.map((line) => (line as { output: string }).output);
        assert.ok(text.includes("2"), "the pull request is merged in");
      } finally {
        await fleet.close();
      }
    },
  });

  Deno.test({
    name: `${broker}: results of a Rust builder, of any age, become check runs`,
    ignore,
    async fn() {
      const host = await vhost();
      const fleet = await startFleet({
        files: { x: "1\n" },
        projects: [],
        roles: ["github-comment-poster"],
        ...(host && { vhost: host }),
      });
      try {
        const pull = await fleet.openPullRequest({ files: { x: "2\n" } });
        const { owner, name, fullName, cloneUrl } = fleet.monorepo;
        const about = {
          repo: { owner, name, full_name: fullName, clone_url: cloneUrl },
          pr: { target_branch: "main", number: pull.number, head_sha: pull.headSha },
        };
        const results = [
          { ...sample("build_result_v1"), attempted_attrs: ["one"], skipped_attrs: null },
          { ...sample("build_result_legacy_no_status"), attempted_attrs: ["two"] },
          { ...sample("build_result_v1"), attempted_attrs: ["three"], status: "TimedOut" },
          { ...sample("build_result_v1_error"), attempted_attrs: ["four"] },
        ];
        for (const [index, result] of results.entries()) {
          const body = new TextEncoder().encode(
            JSON.stringify({ ...result, ...about, request_id: `rust-${index}`, system: SYSTEM }),
          );
          await fleet.broker.publish([{ exchange: "build-results", routingKey: "", body }]);
        }
        await fleet.expectCheck(pull, `one on ${SYSTEM}`, "success");
        await fleet.expectCheck(pull, `two on ${SYSTEM}`, "failure");
        await fleet.expectCheck(pull, `three on ${SYSTEM}`, "timed_out");
        await fleet.expectCheck(pull, `four on ${SYSTEM}`, "failure");
      } finally {
        await fleet.close();
      }
    },
  });
}

tell("embedded", () => Promise.resolve(undefined), false);

let server: RabbitMqServer | undefined;
tell("rabbitmq", async () => await (server ??= await startRabbitMq()).vhost(), withoutRabbitMq());

Deno.test.afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});
