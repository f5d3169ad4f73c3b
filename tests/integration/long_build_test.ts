/** A build that takes longer than RabbitMQ waits for an acknowledgement, and one whose builder dies in it. */
import assert from "node:assert/strict";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { decode, parseJson } from "../../lib/messages/codec.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import type { FakePull } from "../../testing/fake_github/mod.ts";
import { startFleet } from "../../testing/fleet.ts";
import { startRabbitMq, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { startRole } from "../support/role_process.ts";

const BUILD_SECONDS = 90;
const ACK_TIMEOUT_MS = 60_000;
const SYSTEM = hostSystem();

Deno.test(
  "a 90-second build under a 60-second ack timeout has one result; so has one whose builder is killed",
  {
    ignore: withoutRabbitMq(),
  },
  async () => {
    await using server = await startRabbitMq({
      advanced: { consumer_timeout: ACK_TIMEOUT_MS, channel_tick_interval: 1_000 },
    });
    const slow = (name: string) => ({
      name,
      path: name,
      build_system: { Custom: { command: `echo begin; sleep ${BUILD_SECONDS}; echo end` } },
    });
    const fleet = await startFleet({
      files: { "calm/x": "1", "killed/x": "1" },
      projects: [slow("calm"), slow("killed")],
      vhost: await server.vhost(),
      roles: ROLE_NAMES.filter((role) => role !== "builder"),
      configure: (config) => {
        config.builder = { ...config.builder as object, concurrency: 1 };
      },
    });
    const builders = [startRole("builder", fleet.configPath)];
    const results: BuildResult[] = [];
    const subscription = await fleet.broker.subscribe("build-results", "#", ({ body }) => {
      if ("tag" in (parseJson(body) as object)) results.push(decode(BuildResult, body));
    });
    const succeeds = ({ headSha }: FakePull, name: string) =>
      fleet.github.waitForCheckRun(`${name} on ${SYSTEM}`, "success", {
        headSha,
        timeoutMs: 300_000,
      });
    try {
      await builders[0]!.ready;
      const pull = await fleet.openPullRequest({ files: { "killed/x": "2" } });
      await fleet.expectCheck(pull, `killed on ${SYSTEM}`, "in_progress");
      builders.push(startRole("builder", fleet.configPath));
      await builders[1]!.ready;
      const other = await fleet.openPullRequest({ files: { "calm/x": "2" } });
      await fleet.expectCheck(other, `calm on ${SYSTEM}`, "in_progress");
      await builders[0]!.kill();
      builders.push(startRole("builder", fleet.configPath));
      const calm = await succeeds(other, "calm");
      const killed = await succeeds(pull, "killed");
      for (const check of [calm, killed]) {
        assert.match(await fleet.log(check), /^begin$[^]*^end$/m);
        assert.equal(results.filter(({ pr }) => pr.head_sha === check.headSha).length, 1);
      }
      const builds = fleet.github.allCheckRuns.filter(({ name }) => name !== "tickborg");
      assert.equal(builds.length, 2);
    } finally {
      await subscription.cancel();
      await Promise.all(builders.map((builder) => builder.kill()));
      await fleet.close();
    }
  },
);
