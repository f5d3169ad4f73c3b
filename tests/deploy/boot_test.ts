/** The shipped units, programs, rights and permissions, all at once, under a systemd that was booted for it. */
import assert from "node:assert/strict";
import { unitName } from "../../deploy/files/units.ts";
import { VHOST } from "../../deploy/files/broker_rights.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import { type RabbitMqServer, startRabbitMq } from "../../testing/rabbitmq.ts";
import { boot, type Booted, withoutBoot } from "./systemd.ts";
import { until } from "../../testing/waiting.ts";
import { repositoryPath, succeed } from "./tools.ts";
import { inFolder } from "../support/in_folder.ts";

/** A fleet whose roles are units: its configuration has the folders and credentials of the shipped example. */
async function fleetForUnits(server: RabbitMqServer): Promise<Fleet> {
  return await startFleet({
    files: { "a/x": "1\n" },
    projects: [{
      name: "a",
      path: "a",
      build_system: { Custom: { command: "cat x; cc --version > /dev/null && echo compiled" } },
    }],
    vhost: {
      name: VHOST,
      host: server.host,
      port: server.port,
      username: "tickborg-{role}",
      password: "",
    },
    configure(file) {
      const section = (name: string) => file[name] as Record<string, unknown>;
      section("rabbitmq").password_file = "credential:rabbitmq-password";
      section("github_webhook_receiver").webhook_secret_file = "credential:webhook-secret";
      section("github_app").private_key = "credential:github-app-key";
      section("checkout").root = "/var/cache/tickborg";
      section("log_api_config").logs_path = "/var/log/tickborg";
      section("log_message_collector").logs_path = "/var/log/tickborg";
      section("builder").sandbox = "bubblewrap";
    },
    roles: [],
  });
}

/** Lays out /etc/tickborg and the units as docs/deployment.md has it done. */
async function layOut(folder: string, fleet: Fleet, server: RabbitMqServer): Promise<void> {
  const etc = `${folder}/etc`;
  await succeed(["sh", repositoryPath("deploy/secrets.sh"), `${etc}/credentials`]);
  const { program, env } = server.control;
  await succeed(
    ["sh", repositoryPath("deploy/rabbitmq/setup.sh"), `${etc}/credentials/rabbitmq`],
    { env: { ...env, RABBITMQCTL: program } },
  );
  for (const [from, to] of [["webhook-secret", "webhook-secret"], ["app.pem", "github-app-key"]]) {
    await Deno.remove(`${etc}/credentials/${to}`).catch(() => {});
    await Deno.copyFile(`${fleet.folder}/${from}`, `${etc}/credentials/${to}`);
  }
  await Deno.copyFile(fleet.configPath, `${etc}/config.json`);
  await Deno.chmod(`${etc}/config.json`, 0o644);
  await Deno.chmod(etc, 0o755);
  await succeed(["cp", "-r", repositoryPath("deploy/systemd"), `${folder}/units`]);
  await Deno.writeTextFile(
    `${folder}/units/tickborg-test.target`,
    "[Unit]\nDescription=Test\nRequires=basic.target\nAfter=basic.target\n",
  );
  // A minute is too long to wait in a test for a role that hangs.
  await Deno.mkdir(`${folder}/units/tickborg-stats.service.d`);
  await Deno.writeTextFile(
    `${folder}/units/tickborg-stats.service.d/test.conf`,
    "[Service]\nWatchdogSec=3s\nRestartSec=1s\n",
  );
}

/** Properties of a unit. */
async function show(systemd: Booted, unit: string): Promise<Record<string, string>> {
  const text = await systemd.run("systemctl", "show", unit);
  return Object.fromEntries(
    text.split("\n").map((
      line,
    ) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

Deno.test({
  name: "the shipped units carry a pull request to its check run under a real systemd",
  ignore: withoutBoot(),
  fn: () =>
    inFolder(async (folder) => {
      await using server = await startRabbitMq();
      const fleet = await fleetForUnits(server);
      try {
        await layOut(folder, fleet, server);
        await using systemd = await boot(folder);
        await systemd.run("systemctl", "enable", ...ROLE_NAMES.map(unitName), "tickborg.target");
        await started(systemd);

        const pull = await fleet.openPullRequest({ files: { "a/x": "2\n" } });
        const check = await fleet.expectCheck(pull, `a on ${hostSystem()}`, "success").catch(
          async (error) => {
            throw new Error(`${error.message}\n${await journals(systemd)}`);
          },
        );
        assert.match(await fleet.log(check), /^2\ncompiled$/m);

        await aHangingRoleIsRestarted(systemd);
        await systemd.run("systemctl", "stop", "tickborg.target");
        for (const name of ROLE_NAMES) {
          const { ActiveState, Result } = await until(`${name}'s end`, async () => {
            const unit = await show(systemd, unitName(name));
            return unit.ActiveState === "deactivating" ? undefined : unit;
          });
          assert.deepEqual([ActiveState, Result], ["inactive", "success"], name);
        }
      } finally {
        await fleet.close();
      }
    }),
});

/** Starts the target and waits until every role has said that it is ready. */
async function started(systemd: Booted): Promise<void> {
  await systemd.run("systemctl", "start", "--no-block", "tickborg.target");
  for (const name of ROLE_NAMES) {
    await until(`${name} to be ready`, async () => {
      const { ActiveState, NRestarts } = await show(systemd, unitName(name));
      if (NRestarts !== "0") throw new Error(`Role ${name} does not start`);
      return ActiveState === "active" ? true : undefined;
    }).catch(async (error) => {
      throw new Error(`${error.message}:\n${await systemd.journal(unitName(name))}`);
    });
    const { DynamicUser, NotifyAccess, SubState } = await show(systemd, unitName(name));
    assert.deepEqual([DynamicUser, NotifyAccess, SubState], ["yes", "main", "running"], name);
  }
}

async function journals(systemd: Booted): Promise<string> {
  const texts = await Promise.all(
    ROLE_NAMES.map(async (name) => `== ${name}\n${await systemd.journal(unitName(name))}`),
  );
  return texts.join("\n").slice(-20_000);
}

/** A role whose process is stopped sends no pings; systemd kills it and starts it anew. */
async function aHangingRoleIsRestarted(systemd: Booted): Promise<void> {
  const unit = unitName("stats");
  const before = await show(systemd, unit);
  assert.equal(before.NRestarts, "0");
  await systemd.run("kill", "-STOP", before.MainPID!);
  await until("the restart of a role that hangs", async () => {
    const { NRestarts, ActiveState } = await show(systemd, unit);
    return NRestarts !== "0" && ActiveState === "active" ? true : undefined;
  });
  assert.notEqual((await show(systemd, unit)).MainPID, before.MainPID);
}
