/** The nine roles as nine processes over a real RabbitMQ, as a fleet runs them. */
import assert from "node:assert/strict";
import { hostSystem } from "../../lib/messages/systems.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import { WEBHOOK_SECRET } from "../../testing/fleet_config.ts";
import { until } from "../../testing/waiting.ts";
import { startRabbitMq, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { startRole } from "../support/role_process.ts";

const projects = [{
  name: "a",
  path: "a",
  build_system: { Custom: { command: "cat x" } },
  labels: ["a"],
}];

/** What must stand in no log: secrets as they are and as parts of an address, the App's key by its lines. */
function secretsOf(fleet: Fleet, password: string): string[] {
  const { privateKey, tokens } = fleet.github.app;
  const lines = privateKey.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
  assert.ok(lines.length > 10 && tokens.length > 0);
  const words = [WEBHOOK_SECRET, password];
  return [...words, ...words.map(encodeURIComponent), ...lines, ...tokens];
}

/** Has a pull request built that changes what the project prints. */
async function build(fleet: Fleet, version: string): Promise<void> {
  const pull = await fleet.openPullRequest({ files: { "a/x": `${version}\n` } });
  const check = await fleet.expectCheck(pull, `a on ${hostSystem()}`, "success");
  assert.match(await fleet.log(check), new RegExp(`^${version}$`, "m"));
  assert.deepEqual(pull.labels, ["a"]);
}

Deno.test("nine processes build pull requests, outlive the broker's restart and log no secret", {
  ignore: withoutRabbitMq(),
}, async () => {
  await using server = await startRabbitMq();
  const vhost = await server.vhost();
  const fleet = await startFleet({ files: { "a/x": "1\n" }, projects, vhost, roles: [] });
  const env = { TICKBORG_LOG: "trace" };
  const processes = ROLE_NAMES.map((role) => startRole(role, fleet.configPath, env));
  const ended: string[] = [];
  processes.forEach((it, index) => void it.ended.then(() => ended.push(ROLE_NAMES[index]!)));
  try {
    await Promise.all(processes.map((it) => it.ready));
    await build(fleet, "2");
    await server.restart();
    const health = `http://127.0.0.1:${fleet.listens.receiver}/health`;
    await until("the receiver to be connected again", async () => {
      const response = await fetch(health);
      await response.body?.cancel();
      return response.ok;
    });
    await build(fleet, "3");
    assert.deepEqual(ended, [], "the processes are those of the start");
    const codes = await Promise.all(processes.map((it) => it.stop()));
    assert.deepEqual(codes, ROLE_NAMES.map(() => 0));
    const log = processes.map((it) => it.log()).join("\n");
    assert.match(log, /\[TRC\]|\[DBG\]/, "the logs are as talkative as they can be");
    for (const secret of secretsOf(fleet, vhost.password)) {
      assert.ok(!log.includes(secret), `A log holds ${secret}`);
    }
    assert.doesNotMatch(log, /eyJ[\w-]+\.eyJ/, "nor a token signed with the App's key");
  } finally {
    await Promise.all(processes.map((it) => it.kill()));
    await fleet.close();
  }
});
