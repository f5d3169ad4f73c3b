import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StatusReport } from "../../commands/status_text.ts";
import { openBroker } from "../../lib/broker/open.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { buildQueue, QUEUE } from "../../lib/broker/topology.ts";
import { VERSION } from "../../lib/common/version.ts";
import { startFleet } from "../../testing/fleet.ts";
import { generateAppKey } from "../../testing/fake_github/app.ts";
import { freePort } from "../../testing/ports.ts";
import { startRabbitMq, type Vhost, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { until } from "../../testing/waiting.ts";
import { tickborg } from "./run.ts";
import { inFolder } from "../support/in_folder.ts";

const ESCAPE = "\x1b";
const root = fileURLToPath(new URL("../../", import.meta.url));

function status(...args: string[]) {
  return tickborg(["status", ...args]);
}

const fleetOptions = {
  files: { "a/x": "1\n" },
  projects: [{
    name: "a",
    path: "a",
    build_system: { Custom: { command: "true" } },
  }],
};

Deno.test("status tells how a fleet over RabbitMQ is", { ignore: withoutRabbitMq() }, async (t) => {
  await using server = await startRabbitMq();

  await t.step("a fleet in which all is well gets exit code 0", async () => {
    const fleet = await startFleet({ ...fleetOptions, vhost: await server.vhost() });
    try {
      const { code, out } = await status("--config", fleet.configPath, "--json");
      const report = JSON.parse(out) as StatusReport;
      assert.deepEqual(report.queues.filter(({ level }) => level !== "ok"), []);
      assert.deepEqual(
        report.endpoints.map(({ role, status, version }) => [role, status, version]),
        [
          ["github-webhook-receiver", 200, VERSION],
          ["log-message-collector", 200, VERSION],
          ["stats", 200, VERSION],
        ],
      );
      assert.equal(report.version, VERSION);
      assert.equal(report.level, "ok");
      assert.equal(code, 0);
      const table = await status("--config", fleet.configPath);
      assert.equal(table.code, 0);
      assert.match(table.out, /^OK {4}mass-rebuild-check-inputs +0 +< 50 +1 +-$/m);
      assert.match(table.out, /Everything is OK\n$/);
      assert.ok(!table.out.includes(ESCAPE), "no colours but on a terminal");
    } finally {
      await fleet.close();
    }
  });

  await t.step("a fleet that does not run gets exit code 1 and the reasons", async () => {
    await withIdleFleet(await server.vhost(), async ({ configPath, publish }) => {
      await publish(QUEUE.evaluationFilter, 50);
      await publish(buildQueue("x86_64-linux"), 1);
      await publish(QUEUE.deadLetters, 2);
      const { code, out } = await status("--config", configPath, "--json");
      assert.equal(code, 1);
      const report = JSON.parse(out) as StatusReport;
      assert.equal(report.level, "fail");
      const queue = (name: string) => report.queues.find(({ queue }) => queue === name)!;
      assert.equal(queue(QUEUE.evaluationFilter).state?.ready, 50);
      assert.match(queue(QUEUE.stats).why, /^No consumer: is stats running/);
      assert.equal(queue(QUEUE.deadLetters).level, "warn");
      assert.equal(queue(QUEUE.deadLetters).state?.ready, 2);
      const oldest = queue(buildQueue("x86_64-linux")).state?.oldestSeconds;
      assert.ok(oldest !== undefined && oldest >= 0 && oldest < 600, `${oldest}`);
      for (const { level, why } of report.endpoints) {
        assert.equal(level, "fail");
        assert.match(why, /^No answer: Connection refused/);
      }
      const again = JSON.parse((await status("--config", configPath, "--json")).out);
      assert.equal(again.queues[0].state.ready, 50, "looking takes nothing away");
      const nagios = await status("--config", configPath, "--nagios");
      assert.equal(nagios.code, 2);
      assert.match(nagios.out, /^TICKBORG CRITICAL - .* \| .*'dead letters'=2;/);
    });
  });
});

/** Writes a configuration with a broker on a port of this machine. */
async function configFor(folder: string, port: number): Promise<string> {
  const [config, password_file] = [join(folder, "config.json"), join(folder, "password")];
  await Deno.writeTextFile(password_file, "x\n");
  const rabbitmq = { host: `127.0.0.1:${port}`, username: "x", password_file };
  const runner = { identity: "x", repos: [] };
  await Deno.writeTextFile(config, JSON.stringify({ rabbitmq, runner }));
  return config;
}

Deno.test("a broker that is down is said so, at once and with the reason", () =>
  inFolder(async (folder) => {
    const configPath = await configFor(folder, freePort());
    const { code, out, err } = await status("--config", configPath);
    assert.equal(code, 1);
    assert.match(
      out,
      /^FAIL {2}broker 127\.0\.0\.1:\d+ \/ {2}Cannot check the broker: .*ECONNREFUSED/,
    );
    assert.equal(err, "");
    const nagios = await status("--config", configPath, "--nagios");
    assert.deepEqual([nagios.code, nagios.err], [2, ""]);
    assert.match(nagios.out, /^TICKBORG CRITICAL - broker: Cannot check the broker: .*REFUSED/);
  }));

Deno.test("a broker that says nothing is given up after the time-out", () =>
  inFolder(async (folder) => {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const configPath = await configFor(folder, silent.addr.port);
    const { code, out } = await status("--config", configPath, "--timeout", "0.3");
    assert.equal(code, 1);
    assert.match(out, /Cannot check the broker: no answer within 0\.3 s/);
  }));

Deno.test("on the embedded broker only endpoints are looked at", async () => {
  const fleet = await startFleet(fleetOptions);
  try {
    const { code, out } = await status("--config", fleet.configPath);
    assert.equal(code, 0, out);
    assert.match(out, /^ {6}broker embedded \(not checked\)$/m);
    assert.match(out, /^OK {4}stats +http:\/\/127\.0\.0\.1:\d+\/health +200 +\d+\.\d+\.\d+$/m);
    assert.match(out, /^OK {4}GitHub http:\/\/127\.0\.0\.1:\d+$/m);
    assert.doesNotMatch(out, /Everything is OK/);
    assert.match(
      out,
      /\nEverything that was checked is OK; not checked: the queues of the embedded broker\n$/,
    );
  } finally {
    await fleet.close();
  }
});

Deno.test("a wrong key, and webhooks that nobody serves, are not well", async () => {
  await using fleet = await startFleet(fleetOptions);
  const stranger = { action: "opened", repository: { full_name: "acme/Renamed" } };
  for (let sent = 0; sent < 2; sent++) await fleet.github.deliver("pull_request", stranger);
  const metrics = `http://127.0.0.1:${fleet.listens.stats}/metrics`;
  await until("the webhooks are counted", async () => {
    const text = await (await fetch(metrics)).text();
    return /^tickborg_webhook_unserved\{.*repository="acme\/renamed"\} 2$/m.test(text);
  });
  await Deno.writeTextFile(join(fleet.folder, "app.pem"), generateAppKey());
  const { code, out } = await status("--config", fleet.configPath, "--json");
  assert.equal(code, 1);
  const { github, unserved } = JSON.parse(out) as StatusReport;
  assert.equal(github?.level, "fail");
  assert.match(github?.why ?? "", /401: .*; github_app\.private_key is not a key of the App/);
  assert.deepEqual(
    unserved?.map(({ repository, webhooks, level }) => [repository, webhooks, level]),
    [
      ["acme/renamed", 2, "warn"],
    ],
  );
  await Deno.remove(join(fleet.folder, "app.pem"));
  const unseen = await status("--config", fleet.configPath);
  assert.match(
    unseen.out,
    /; not checked: .*GitHub \(github_app\.private_key: cannot read .*no such file\)\n$/,
  );
});

Deno.test("it looks again and again until it is interrupted", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const configPath = join(folder, "config.json");
    await Deno.writeTextFile(
      configPath,
      JSON.stringify({ runner: { identity: "x", repos: [] } }),
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "main.ts", "status", "--config", configPath],
        ...["--json", "--watch", "0.1"],
      ],
      cwd: root,
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const times = new Set<string>();
    let text = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const lines = text.split("\n").slice(0, -1);
      for (const line of lines) times.add((JSON.parse(line) as StatusReport).time);
      if (times.size === 3) break;
    }
    child.kill("SIGINT");
    await child.status;
    assert.equal(times.size, 3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

interface IdleFleet {
  readonly configPath: string;
  publish(queue: string, count: number): Promise<void>;
}

/** A fleet of which only the broker is up, with every queue declared. */
async function withIdleFleet(vhost: Vhost, test: (fleet: IdleFleet) => Promise<void>) {
  const fleet = await startFleet({ ...fleetOptions, vhost, roles: [] });
  const broker = await openBroker(fleet.config, "runner", {
    log: roleLogger("test.broker"),
    embedded: false,
  });
  try {
    await test({
      configPath: fleet.configPath,
      publish: async (queue, count) => {
        const body = new TextEncoder().encode("{}");
        await broker.publish(
          Array.from({ length: count }, () => ({ exchange: "", routingKey: queue, body })),
        );
      },
    });
  } finally {
    await broker.close();
    await fleet.close();
  }
}

Deno.test("wrong arguments get one line and exit code 2", async () => {
  const cases: [string[], RegExp][] = [
    [["--json", "--nagios"], /^Use --json or --nagios, not both/],
    [["--watch", "soon"], /^--watch: expected seconds from 0\.1 to 86400, found soon/],
    [["--config", "/nowhere.json"], /^Cannot read configuration \/nowhere\.json/],
  ];
  for (const [args, expected] of cases) {
    const { code, out, err } = await status(...args);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err, expected);
  }
});
