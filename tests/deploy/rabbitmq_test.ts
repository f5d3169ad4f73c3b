import assert from "node:assert/strict";
import { brokerUser, OPERATOR, OWNER, rightsOf, VHOST } from "../../deploy/files/broker_rights.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { QUEUE, QUEUES } from "../../lib/broker/topology.ts";
import { ROLE_NAMES, roleOf } from "../../services/roles.ts";
import { startFleet } from "../../testing/fleet.ts";
import { type RabbitMqServer, startRabbitMq, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { type RoleProcess, startRole } from "../support/role_process.ts";
import { within } from "../../testing/waiting.ts";
import { repositoryPath, run, succeed } from "./tools.ts";
import { inFolder } from "../support/in_folder.ts";

const ignore = withoutRabbitMq();

/** Runs the shipped set-up script as its own user would, with more time on a busy machine. */
async function setUp(server: RabbitMqServer, folder: string, flags: readonly string[] = []) {
  const { program, env } = server.control;
  const patient = `${folder}.rabbitmqctl`;
  const text = `#!/bin/sh\nexec ${program} --timeout 600 "$@"\n`;
  await Deno.writeTextFile(patient, text, { mode: 0o755 });
  const script = repositoryPath("deploy/rabbitmq/setup.sh");
  return await run(["sh", script, ...flags, folder], { env: { ...env, RABBITMQCTL: patient } });
}

/** Makes passwords with the shipped script. */
async function makeSecrets(folder: string): Promise<string> {
  await succeed(["sh", repositoryPath("deploy/secrets.sh"), folder]);
  return `${folder}/rabbitmq`;
}

Deno.test("rights name every queue of the role and no queue of another", () => {
  for (const name of ROLE_NAMES) {
    const { read, write, configure } = rightsOf(name);
    const { consumes, publishes, subscribes = [] } = roleOf(name);
    const builds = consumes.includes("build-inputs-<system>");
    for (const { name: queue } of QUEUES) {
      const mine = consumes.includes(queue) || (builds && queue.startsWith("build-inputs-"));
      const exchange = subscribes.includes(queue);
      assert.equal(new RegExp(read).test(queue), mine || exchange, `${name} reads ${queue}`);
      assert.equal(new RegExp(configure).test(queue), false, `${name} declares ${queue}`);
    }
    for (const exchange of ["github-events", "build-jobs", "build-results", "logs"]) {
      const mine = publishes.includes(exchange);
      // A queue and an exchange are both called build-results.
      assert.equal(new RegExp(write).test(exchange), mine, `${name} writes ${exchange}`);
    }
  }
});

Deno.test("only the receiver may publish webhooks' events, only builders results and logs", () => {
  const writers = (exchange: string) =>
    ROLE_NAMES.filter((name) => new RegExp(rightsOf(name).write).test(exchange));
  const of = { "github-events": ["github-webhook-receiver"], logs: ["builder"], "build-jobs": [] };
  for (const [exchange, roles] of Object.entries(of)) assert.deepEqual(writers(exchange), roles);
});

Deno.test({
  name: "setup.sh makes users, rights and topology, and may be run again",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      await using server = await startRabbitMq();
      const passwords = await makeSecrets(`${folder}/secrets`);
      const node = server.control.env.RABBITMQ_NODENAME!;
      for (const flags of [[], ["--node", node]]) {
        const { code, stdout, stderr } = await setUp(server, passwords, flags);
        assert.equal(code, 0, `${flags}: ${stdout}${stderr}`);
      }
      const users = (await server.ctl("list_users", "--silent")).split("\n").map((line) =>
        line.split("\t")[0]!
      );
      for (const user of [OWNER, OPERATOR, ...ROLE_NAMES.map(brokerUser)]) {
        assert.ok(users.includes(user), user);
      }
      const queues = (await server.ctl("list_queues", "-p", VHOST, "name", "--silent")).trim()
        .split("\n");
      assert.deepEqual(queues.sort(), QUEUES.map(({ name }) => name).sort());
      const unknown = `<<"${VHOST}">>, queue, <<"${QUEUE.unknownEvents}">>`;
      const bound = await server.evaluate(
        `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(${unknown})), rabbit_policy:get(<<"max-length">>, Q).`,
      );
      assert.equal(bound.trim(), "1000", "what nobody consumes is bounded");
      // The health check of docker-compose.yml.
      const { program, env } = server.control;
      const diagnostics = program.replace(/rabbitmqctl$/, "rabbitmq-diagnostics");
      const look = [diagnostics, "-q", "--timeout", "600", "check_port_connectivity"];
      await succeed(look, { env });
      await tellWhatUsersMayDo(server, passwords);

      await Deno.remove(`${passwords}/stats`);
      await Deno.writeTextFile(`${passwords}/stats`, "changed password\n");
      assert.equal((await setUp(server, passwords)).code, 0);
      await server.ctl("authenticate_user", brokerUser("stats"), "changed password");
    }),
});

/** Tries with real connections what the rights say. */
async function tellWhatUsersMayDo(server: RabbitMqServer, passwords: string): Promise<void> {
  const { Connection } = await import("rabbitmq-client");
  type Client = InstanceType<typeof Connection>;
  type Action = (connection: Client) => Promise<unknown>;
  async function attempt(user: string, what: Action) {
    const connection = new Connection({
      hostname: server.host,
      port: server.port,
      username: user,
      password: await Deno.readTextFile(`${passwords}/${user.replace("tickborg-", "")}`),
      vhost: VHOST,
      noDelay: true,
    });
    connection.on("error", () => {});
    try {
      await what(connection);
      return "allowed";
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    } finally {
      await connection.close();
    }
  }
  const get = (queue: string) => (connection: Client) =>
    connection.basicGet({ queue, noAck: true });
  const publish = (exchange: string) => async (connection: Client) => {
    const channel = await connection.acquire();
    try {
      await channel.confirmSelect();
      await channel.basicPublish({ exchange, routingKey: "nobody" }, "{}");
    } finally {
      await channel.close().catch(() => {});
    }
  };
  const remove = (queue: string) => (connection: Client) => connection.queueDelete({ queue });

  const builder = brokerUser("builder");
  const receiver = brokerUser("github-webhook-receiver");
  const table: [string, string, Action, string][] = [
    [builder, "takes its jobs", get(`build-inputs-${hostSystem()}`), "allowed"],
    [builder, "reads no events", get(QUEUE.evaluationFilter), "ACCESS_REFUSED"],
    [builder, "reads no dead letters", get(QUEUE.deadLetters), "ACCESS_REFUSED"],
    [builder, "publishes logs", publish("logs"), "allowed"],
    [builder, "forges no webhook", publish("github-events"), "ACCESS_REFUSED"],
    [builder, "gives no job to every builder", publish("build-jobs"), "ACCESS_REFUSED"],
    [builder, "removes no queue", remove(`build-inputs-${hostSystem()}`), "ACCESS_REFUSED"],
    [receiver, "publishes events", publish("github-events"), "allowed"],
    [receiver, "reads no queue", get(QUEUE.evaluationFilter), "ACCESS_REFUSED"],
    [receiver, "publishes no result", publish("build-results"), "ACCESS_REFUSED"],
    [brokerUser("log-message-collector"), "writes no log", publish("logs"), "ACCESS_REFUSED"],
    [OPERATOR, "reads dead letters", get(QUEUE.deadLetters), "allowed"],
    [OPERATOR, "removes no queue", remove(QUEUE.deadLetters), "ACCESS_REFUSED"],
    [OWNER, "may do everything", publish("build-jobs"), "allowed"],
  ];
  for (const [user, what, action, expected] of table) {
    assert.equal(await attempt(user, action), expected, `${user} ${what}`);
  }
}

Deno.test({
  name: "setup.sh names the user without a password and changes nothing",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      await using server = await startRabbitMq();
      const passwords = await makeSecrets(`${folder}/secrets`);
      await Deno.remove(`${passwords}/builder`);
      const { code, stderr } = await setUp(server, passwords);
      assert.equal(code, 1);
      assert.match(stderr, /has no password for tickborg-builder/);
      assert.doesNotMatch(await server.ctl("list_vhosts", "--silent"), /tickborg/);
    }),
});

Deno.test({
  name: "RabbitMQ takes the shipped settings",
  ignore,
  async fn() {
    const text = await Deno.readTextFile(repositoryPath("deploy/rabbitmq/20-tickborg.conf"));
    const conf = Object.fromEntries(
      text.split("\n").filter((line) => /^[a-z]/.test(line)).map((line) => line.split(" = ")),
    );
    // The test's own limits hold on a small disk.
    delete conf["disk_free_limit.absolute"];
    await using server = await startRabbitMq({ conf });
    const timeout = await server.evaluate("application:get_env(rabbit, consumer_timeout).");
    assert.equal(timeout.trim(), "{ok,691200000}");
  },
});

/** Waits for a role; throws with its log when it does not come. */
async function ready(name: string, process: RoleProcess): Promise<void> {
  try {
    await within(`role ${name}`, process.ready);
  } catch (error) {
    throw new Error(`Role ${name} is not ready:\n${process.log().slice(-5_000)}`, { cause: error });
  }
}

Deno.test({
  name: "each role works with its own broker user and no more rights than that has",
  ignore,
  async fn() {
    await using server = await startRabbitMq();
    const folder = await Deno.makeTempDir({ prefix: "tickborg-deploy-" });
    const passwords = await makeSecrets(`${folder}/secrets`);
    const { code, stderr } = await setUp(server, passwords);
    assert.equal(code, 0, stderr);
    const fleet = await startFleet({
      files: { "a/x": "1\n" },
      projects: [{
        name: "a",
        path: "a",
        build_system: { Custom: { command: "cat x" } },
        labels: ["a"],
      }],
      vhost: {
        name: VHOST,
        host: server.host,
        port: server.port,
        username: "tickborg-{role}",
        password: "not this one",
      },
      configure(file) {
        (file.rabbitmq as Record<string, string>).password_file = "credential:rabbitmq-password";
      },
      roles: [],
    });
    const processes = await Promise.all(ROLE_NAMES.map(async (role) => {
      const credentials = `${folder}/credentials/${role}`;
      await Deno.mkdir(credentials, { recursive: true });
      await Deno.copyFile(`${passwords}/${role}`, `${credentials}/rabbitmq-password`);
      return startRole(role, fleet.configPath, { CREDENTIALS_DIRECTORY: credentials });
    }));
    try {
      await Promise.all(ROLE_NAMES.map((name, index) => ready(name, processes[index]!)));
      const pull = await fleet.openPullRequest({ files: { "a/x": "2\n" } });
      const check = await fleet.expectCheck(pull, `a on ${hostSystem()}`, "success");
      assert.match(await fleet.log(check), /^2$/m);
      await Promise.all(processes.map((process) => process.stop()));
      for (const { log } of processes) assert.doesNotMatch(log(), /this is a bug/);
    } finally {
      await Promise.all(processes.map((process) => process.kill()));
      await fleet.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
