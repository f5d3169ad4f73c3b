/** "Ready" means ready: what a role has to have first is waited for, told, and final where it cannot pass. */
import { VERSION } from "../../lib/common/version.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { generateAppKey } from "../../testing/fake_github/app.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import { freePort } from "../../testing/ports.ts";
import { type RoleProcess, startRoleWith } from "../support/role_process.ts";
import { until } from "../../testing/waiting.ts";
import { tickborg } from "./run.ts";

const FLEET = {
  files: { "a/x": "1\n" },
  projects: [{ name: "a", path: "a", build_system: { Custom: { command: "cat x" } } }],
  roles: [],
};

/** Runs a story with `all`, whose pauses are short, in a fleet. */
async function withAll(
  configure: (config: Record<string, Record<string, unknown>>) => void,
  story: (all: RoleProcess, fleet: Fleet) => Promise<void>,
  prepare: (fleet: Fleet) => Promise<void> | void = () => {},
): Promise<void> {
  await using fleet = await startFleet({
    ...FLEET,
    configure: (config) => configure(config as Record<string, Record<string, unknown>>),
  });
  await prepare(fleet);
  const all = startRoleWith({ role: "all", configPath: fleet.configPath, retryScale: 0.05 });
  try {
    await story(all, fleet);
  } finally {
    await all.kill();
  }
}

function logged(all: RoleProcess, pattern: RegExp): Promise<unknown> {
  return until(`${pattern} in the log`, () => Promise.resolve(pattern.test(all.log())));
}

async function health(port: number): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${port}/health`);
  return { status: response.status, body: await response.json() };
}

Deno.test("a role whose key is no key of the App ends with one line that says what to do", async () => {
  await using fleet = await startFleet(FLEET);
  await Deno.writeTextFile(join(fleet.folder, "app.pem"), generateAppKey());
  const { code, err } = await tickborg(["all", "--config", fleet.configPath]);
  assert.equal(code, 2, err);
  assert.doesNotMatch(err, / Ready\b/);
  assert.match(
    err,
    /^github_app: .* GitHub answered 401: .*; github_app\.private_key is not a key of the App .*generate one/m,
  );
  assert.doesNotMatch(err, /\n +at /);
});

Deno.test("an App that GitHub does not know ends the start too", () =>
  withAll(
    (config) => config.github_app!.app_id = 99,
    async (all) => {
      assert.equal(await all.ended, 2, all.log());
      await assert.rejects(all.ready);
      assert.match(
        all.log(),
        /^github_app: .*Integration not found; github_app\.app_id is not an App/m,
      );
    },
  ));

Deno.test("while GitHub is down webhooks are taken, nothing is ready, and health says what it waits for", () =>
  withAll(
    () => {},
    async (all, fleet) => {
      await logged(all, /Waiting for GitHub before consuming messages/);
      await until("the receiver listens", async () => {
        const found = await health(fleet.listens.receiver).catch(() => undefined);
        return found?.status === 503 && /^GitHub: .*502/.test(String(found.body.waits_for));
      });
      const pull = await fleet.openPullRequest({ files: { "a/x": "2\n" } });
      assert.equal(fleet.github.deliveries.at(-1)!.statusCode, 202);
      assert.doesNotMatch(all.log(), / Ready\b/);
      fleet.github.clearFaults();
      await all.ready;
      const { status, body } = await health(fleet.listens.receiver);
      assert.deepEqual([status, body], [200, {
        status: "ok",
        broker: "connected",
        version: VERSION,
      }]);
      await fleet.expectCheck(pull, `a on ${fleet.config.github.systems[0]}`, "success");
      assert.equal(await all.stop(), 0);
    },
    ({ github }) => github.fail({ status: 502 }),
  ));

Deno.test("a refusal of GitHub's that passes, as in an incident, is waited for", () =>
  withAll(
    () => {},
    async (all, { github }) => {
      await logged(all, /Waiting for GitHub.*401: Bad credentials/);
      github.clearFaults();
      await all.ready;
      assert.equal(await all.stop(), 0);
    },
    ({ github }) => github.fail({ status: 401 }),
  ));

Deno.test("SIGTERM ends a start that waits for GitHub", () =>
  withAll(
    () => {},
    async (all) => {
      await logged(all, /Waiting for GitHub/);
      assert.equal(await all.stop(), 0, all.log());
      assert.match(all.log(), / Stopping\b.*SIGTERM[^]* Stopped\b/);
      assert.doesNotMatch(all.log(), / Ready\b/);
    },
    ({ github }) => github.fail({ status: 502 }),
  ));

Deno.test("a role whose broker is away is not ready, says so, and ends on SIGTERM", () =>
  withAll(
    (config) =>
      config.rabbitmq = {
        host: `127.0.0.1:${freePort()}`,
        username: "u",
        password_file: config.github_app!.private_key,
      },
    async (all) => {
      await logged(all, /Waiting for the broker/);
      assert.doesNotMatch(all.log(), / Ready\b/);
      assert.equal(await all.stop(), 0, all.log());
    },
  ));

Deno.test("SIGTERM ends a start at once while a broker that says nothing is called", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await withAll(
    (config) =>
      config.rabbitmq = {
        host: `127.0.0.1:${(silent.addr as Deno.NetAddr).port}`,
        username: "u",
        password_file: config.github_app!.private_key,
      },
    async (all) => {
      using called = await silent.accept();
      assert.equal(await all.stop(), 0, all.log());
      assert.match(all.log(), / Stopped\b/);
      assert.doesNotMatch(all.log(), / Ready\b|No connection/);
      assert.ok(called.remoteAddr);
    },
  );
});

Deno.test("what the App lacks, and where it is not installed, is logged by name at the start", () =>
  withAll(
    (config) => (config.runner!.repos as string[]).push("acme/elsewhere"),
    async (all) => {
      await all.ready;
      await logged(all, /acme\/elsewhere: the App .* is not installed there/);
      assert.match(all.log(), /lacks the permission checks: write; grant it in the App's settings/);
      assert.match(all.log(), /does not receive the event push; subscribe to it/);
      assert.equal(await all.stop(), 0);
    },
    ({ github: { app } }) => {
      app.permissions.checks = "read";
      app.events = app.events.filter((event) => event !== "push");
    },
  ));

for (
  const [key, set] of [
    ["checkout.root", (config, path) => config.checkout!.root = path],
    ["log_message_collector.logs_path", (config, path) => {
      config.log_message_collector!.logs_path = config.log_api_config!.logs_path = path;
    }],
    ["embedded_broker.path", (config, path) => config.embedded_broker!.path = `${path}/b.sqlite`],
  ] as [string, (config: Record<string, Record<string, unknown>>, path: string) => void][]
) {
  Deno.test(`a folder that cannot be written in ends the start with one line: ${key}`, async () => {
    await using fleet = await startFleet({
      ...FLEET,
      // A file stands where the folder should be, which keeps root out as well.
      configure: (config) =>
        set(config as Record<string, Record<string, unknown>>, "/dev/null/folder"),
    });
    const { code, err } = await tickborg(["all", "--config", fleet.configPath]);
    assert.equal(code, 2, err);
    assert.match(
      err,
      new RegExp(`${key}: cannot write in /dev/null/folder: .*; name a folder`),
      err,
    );
    assert.doesNotMatch(err, /\n +at /);
    const check = await tickborg(["check-config", "--config", fleet.configPath, "--json"]);
    assert.equal(check.code, 2, check.out);
    const { mistakes } = JSON.parse(check.out) as { mistakes: string[] };
    assert.equal(mistakes.length, 1, check.out);
    assert.ok(mistakes[0]!.startsWith(`${key}: cannot write in /dev/null/folder: `), check.out);
  });
}
