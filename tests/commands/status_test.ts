import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StatusReport } from "../../commands/status.ts";
import { duration, nagiosLine, render } from "../../commands/status_text.ts";
import { openBroker } from "../../lib/broker/open.ts";
import { roleLogger } from "../../lib/log.ts";
import { buildQueue, QUEUE } from "../../lib/topology.ts";
import { startFleet } from "../support/fleet.ts";
import { freePort } from "../support/ports.ts";
import { startRabbitMq, type Vhost, withoutRabbitMq } from "../support/rabbitmq.ts";

const ESCAPE = "\x1b";
const root = fileURLToPath(new URL("../../", import.meta.url));

/** Runs `tickborg status`. */
async function status(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "main.ts", "status", ...args],
    cwd: root,
    env: { TICKBORG_LOG: "off" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
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
      const { code, stdout } = await status("--config", fleet.configPath, "--json");
      const report = JSON.parse(stdout) as StatusReport;
      assert.deepEqual(report.queues.filter(({ level }) => level !== "ok"), []);
      assert.deepEqual(report.endpoints.map(({ role, status }) => [role, status]), [
        ["github-webhook-receiver", 200],
        ["log-message-collector", 200],
        ["stats", 200],
      ]);
      assert.equal(report.level, "ok");
      assert.equal(code, 0);
      const table = await status("--config", fleet.configPath);
      assert.equal(table.code, 0);
      assert.match(table.stdout, /^OK {4}mass-rebuild-check-inputs +0 +< 50 +1 +-$/m);
      assert.match(table.stdout, /Everything is as it should be\n$/);
      assert.ok(!table.stdout.includes(ESCAPE), "no colours but on a terminal");
    } finally {
      await fleet.close();
    }
  });

  await t.step("a fleet that does not run gets exit code 1 and the reasons", async () => {
    await withIdleFleet(await server.vhost(), async ({ configPath, publish }) => {
      await publish(QUEUE.evaluationFilter, 50);
      await publish(buildQueue("x86_64-linux"), 1);
      await publish(QUEUE.deadLetters, 2);
      const { code, stdout } = await status("--config", configPath, "--json");
      assert.equal(code, 1);
      const report = JSON.parse(stdout) as StatusReport;
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
      const again = JSON.parse((await status("--config", configPath, "--json")).stdout);
      assert.equal(again.queues[0].state.ready, 50, "looking takes nothing away");
      const nagios = await status("--config", configPath, "--nagios");
      assert.equal(nagios.code, 2);
      assert.match(nagios.stdout, /^TICKBORG CRITICAL - .* \| .*'dead letters'=2;/);
    });
  });

  await t.step("a broker that is down is said so, at once", async () => {
    const vhost = { ...await server.vhost(), port: freePort() };
    const folder = await Deno.makeTempDir();
    try {
      const configPath = join(folder, "config.json");
      await Deno.writeTextFile(`${folder}/password`, "x");
      await Deno.writeTextFile(
        configPath,
        JSON.stringify({
          rabbitmq: {
            host: `${vhost.host}:${vhost.port}`,
            username: "x",
            password_file: `${folder}/password`,
          },
          runner: { identity: "x", repos: [] },
        }),
      );
      const { code, stdout, stderr } = await status("--config", configPath, "--timeout", "2");
      assert.equal(code, 1, stderr);
      assert.match(stdout, /^FAIL {2}broker 127\.0\.0\.1:\d+ \/ {2}Cannot look at the broker: /);
      const nagios = await status("--config", configPath, "--timeout", "1", "--nagios");
      assert.equal(nagios.code, 2);
      assert.match(nagios.stdout, /^TICKBORG CRITICAL - broker: Cannot look at the broker/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

Deno.test("on the embedded broker only endpoints are looked at", async () => {
  const fleet = await startFleet(fleetOptions);
  try {
    const { code, stdout } = await status("--config", fleet.configPath);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^OK {4}broker embedded$/m);
    assert.match(stdout, /^OK {4}stats +http:\/\/127\.0\.0\.1:\d+\/health +200$/m);
  } finally {
    await fleet.close();
  }
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
    const { code, stdout, stderr } = await status(...args);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, expected);
  }
});

const REPORT: StatusReport = {
  level: "fail",
  time: "2026-01-01T00:00:00.000Z",
  broker: { level: "ok", why: "", address: "mq:5672 /" },
  queues: [{
    queue: "build-inputs-x86_64-linux",
    role: "builder",
    below: 20,
    state: { ready: 3, consumers: 0, oldestSeconds: 7_300 },
    level: "fail",
    why: "No consumer: is builder running?",
  }, {
    queue: "tickborg.dead-letters",
    below: 1,
    state: { ready: 1, consumers: 0 },
    level: "warn",
    why: "Messages could not be handled: see tickborg dead-letters list",
  }],
  endpoints: [{
    role: "stats",
    url: "http://127.0.0.1:9090/health",
    status: 200,
    level: "ok",
    why: "",
  }],
};

Deno.test("the table stands in columns", () => {
  assert.equal(
    render(REPORT, { colour: false }),
    `
OK    broker mq:5672 /

      queue                      waiting  healthy  consumers  oldest
FAIL  build-inputs-x86_64-linux        3     < 20          0      2h  No consumer: is builder running?
WARN  tickborg.dead-letters            1      < 1          0       -  Messages could not be handled: see tickborg dead-letters list

      endpoint  address                       answer
OK    stats     http://127.0.0.1:9090/health     200

2 of 4 want a look`.slice(1),
  );
});

Deno.test("colours mark the levels and nothing else", () => {
  const colours = new RegExp(`${ESCAPE}\\[(\\d+)m(\\w+) *${ESCAPE}\\[0m`, "g");
  const text = render(REPORT, { colour: true });
  assert.deepEqual([...text.matchAll(colours)].map(([, colour, word]) => `${word} ${colour}`), [
    "OK 32",
    "FAIL 31",
    "WARN 33",
    "OK 32",
  ]);
  assert.equal(
    text.replaceAll(colours, (_, __, word) => word.padEnd(4)),
    render(REPORT, {
      colour: false,
    }),
  );
});

Deno.test("a Nagios plug-in says it in one line, worst first", () => {
  assert.equal(
    nagiosLine(REPORT),
    "TICKBORG CRITICAL - build-inputs-x86_64-linux: No consumer: is builder running?; " +
      "tickborg.dead-letters: Messages could not be handled: see tickborg dead-letters list | " +
      "'build-inputs-x86_64-linux'=3;;19;0 'dead letters'=1;;0;0",
  );
});

Deno.test("durations are read at a glance", () => {
  assert.deepEqual([0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(duration), [
    "0s",
    "119s",
    "2m",
    "120m",
    "2h",
    "48h",
    "2d",
  ]);
});
