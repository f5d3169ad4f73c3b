import assert from "node:assert/strict";
import { hostSystem } from "../../lib/systems.ts";
import { QUEUE } from "../../lib/topology.ts";
import { decideForward } from "../../services/github_comment_poster.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { startRole } from "../../services/start.ts";
import { type Fleet, startFleet } from "../support/fleet.ts";

const SYSTEM = hostSystem();
const CHECK = `core on ${SYSTEM}`;

/** A fleet whose poster sweeps every second and gives a check run up after one. */
async function impatientFleet(test: (fleet: Fleet) => Promise<void>): Promise<void> {
  const fleet = await startFleet({
    files: { "core/x": "1\n" },
    projects: [{ name: "core", path: "core", build_system: { Custom: { command: "cat x" } } }],
    roles: ROLE_NAMES.filter((role) => role !== "builder"),
    configure(config) {
      config.github_comment_poster = { sweep_interval_seconds: 1, no_builder_seconds: 1 };
    },
  });
  try {
    await test(fleet);
  } finally {
    await fleet.close();
  }
}

Deno.test("Pure: what peers publish goes as it came to the queue of the one writer", () => {
  const body = new TextEncoder().encode('{"x":1}');
  assert.deepEqual(decideForward({ body }), {
    publish: [{ exchange: "", routingKey: QUEUE.checkRuns, body }],
    settle: { kind: "ack" },
  });
});

Deno.test("A build that no builder serves ends red, and green when one comes after all", () =>
  impatientFleet(async (fleet) => {
    const pull = await fleet.openPullRequest({ title: "core: two", files: { "core/x": "2\n" } });
    const red = await fleet.expectCheck(pull, CHECK, "failure");
    assert.equal(red.title, `No builder serves ${SYSTEM}`);
    const { config, broker } = fleet;
    const builder = await startRole("builder", { config, broker, retryScale: 0.01 });
    try {
      await fleet.expectCheck(pull, CHECK, "success");
    } finally {
      await builder.stop(2_000);
    }
    assert.equal(fleet.repository.checkRuns(pull.headSha).length, 1);
  }));

Deno.test("A pull request whose webhook was never sent is found and evaluated", () =>
  impatientFleet(async (fleet) => {
    fleet.github.setWebhook(undefined);
    const pull = await fleet.openPullRequest({ title: "core: two", files: { "core/x": "2\n" } });
    await fleet.expectEvaluation(pull, "success");
    await fleet.expectCheck(pull, CHECK, "failure");
    const statuses = fleet.repository.statuses(pull.headSha);
    assert.equal(statuses.filter(({ state }) => state === "success").length, 1);
  }));

Deno.test("What nobody can read goes to the dead letters, and the poster goes on", () =>
  impatientFleet(async (fleet) => {
    const { broker } = fleet;
    const encoder = new TextEncoder();
    const bad = [
      "",
      "null",
      "{}",
      '{"started":true}',
      '{"tag":"V2"}',
      `{"job":{},"architectures":["x"]}`,
      '{"watch":true}',
    ];
    await broker.publish(bad.map((text) => ({
      exchange: "build-results",
      routingKey: "",
      body: encoder.encode(text),
    })));
    const pull = await fleet.openPullRequest({ title: "core: two", files: { "core/x": "2\n" } });
    await fleet.expectCheck(pull, CHECK, "failure");
    const dead: string[] = [];
    await broker.visit(QUEUE.deadLetters, ({ body }) => {
      dead.push(new TextDecoder().decode(body));
      return Promise.resolve("keep");
    });
    assert.deepEqual(dead.sort(), bad.sort());
  }));
