import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";
import { createGitHub } from "../../lib/github/client.ts";
import { parsePrivateKey } from "../../lib/github/from_config.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import { createService, decideForward } from "../../services/github_comment_poster.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { startRole } from "../../services/start.ts";
import { startFakeGitHub } from "../../testing/fake_github/mod.ts";
import type { FakeDelivery } from "../../testing/fake_github/state.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import { RecordingBroker } from "../support/recording_broker.ts";

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
    await fleet.expectCheck(pull, "tickborg", "success");
    assert.deepEqual(
      fleet.repository.checkRuns(pull.headSha).map(({ name }) => name).sort(),
      [CHECK, "tickborg"],
    );
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
      '{"evaluation":"ended"}',
      '{"overall":true}',
    ];
    await broker.publish(bad.map((text) => ({
      exchange: "build-results",
      routingKey: "",
      body: encoder.encode(text),
    })));
    const pull = await fleet.openPullRequest({ title: "core: two", files: { "core/x": "2\n" } });
    await fleet.expectCheck(pull, CHECK, "failure");
    const dead: string[] = [];
    await broker.browse(QUEUE.deadLetters, ({ body }) => {
      dead.push(new TextDecoder().decode(body));
      return Promise.resolve("keep");
    });
    assert.deepEqual(dead.sort(), bad.sort());
  }));

const START = Date.parse("2026-01-01T12:00:00Z");
const MINUTE = 60_000;

/** A delivery that the receiver answered with 503, so many minutes from the start. */
function failedDelivery(id: number, minutes: number): FakeDelivery {
  return {
    id,
    guid: `g${id}`,
    event: "pull_request",
    action: "opened",
    redelivery: false,
    deliveredAt: new Date(START + minutes * MINUTE).toISOString(),
    statusCode: 503,
    answer: "",
    seconds: 0,
    repositoryId: undefined,
    body: "{}",
  };
}

Deno.test("Webhooks that were not taken are delivered again, also those that GitHub lists late", async () => {
  let now = START;
  const fake = await startFakeGitHub({ now: () => now });
  const receiver = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Response("Queued", { status: 202 }),
  );
  try {
    fake.setWebhook({ url: `http://127.0.0.1:${receiver.addr.port}/`, secret: "s" });
    const config = parseConfig({
      runner: { identity: "test", repos: ["acme/mono"] },
      github: { api_url: fake.url },
    });
    const { url: apiUrl, app: { id: appId, privateKey } } = fake;
    const github = createGitHub({
      apiUrl,
      appId,
      privateKey: parsePrivateKey(privateKey),
      now: () => now,
    });
    const { periodic } = await createService({
      role: "test",
      config,
      broker: new RecordingBroker(),
      log: roleLogger("test"),
      now: () => now,
      newId: () => crypto.randomUUID(),
      github: () => github,
    });
    const [recovery] = periodic!.filter(({ name }) => name === "webhook-recovery");
    const run = async (...failed: FakeDelivery[]) => {
      (fake.deliveries as FakeDelivery[]).push(...failed);
      await recovery!.run(new AbortController().signal);
    };
    const again = () =>
      fake.deliveries.filter((it) => it.redelivery).map(({ guid }) => guid).sort();
    const expect = (...guids: string[]) =>
      fake.waitFor(() => `${again()}` === `${guids}`, { what: `redeliveries of ${guids}` });

    await run(failedDelivery(1, -2 * 24 * 60));
    await expect("g1");
    now += 30 * MINUTE;
    await run(failedDelivery(2, -20), failedDelivery(3, -10), failedDelivery(4, 10));
    await expect("g1", "g3", "g4");
    now += MINUTE;
    await run(failedDelivery(5, 29));
    await expect("g1", "g3", "g4", "g5");
  } finally {
    await fake.close();
    await receiver.shutdown();
  }
});
