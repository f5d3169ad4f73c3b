/** `check-config --online`: GitHub, the broker and the log address are tried, each told with what to do. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { generateAppKey } from "../../testing/fake_github/app.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import { freePort } from "../../testing/ports.ts";
import { startRabbitMq, type Vhost, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { tickborg } from "./run.ts";

const FLEET = { files: { "a/x": "1\n" }, projects: [] };

type File = Record<string, Record<string, unknown>>;

interface Said {
  readonly code: number;
  readonly mistakes: string[];
  readonly warnings: string[];
  readonly well: string[];
}

/** What the command says of a fleet's configuration after a change. */
async function online(fleet: Fleet, change: (file: File) => void = () => {}): Promise<Said> {
  const file = JSON.parse(await Deno.readTextFile(fleet.configPath)) as File;
  change(file);
  const path = join(fleet.folder, "changed.json");
  await Deno.writeTextFile(path, JSON.stringify(file));
  const { code, out, err } = await tickborg([
    "check-config",
    "--online",
    "--json",
    "--config",
    path,
  ]);
  assert.equal(err, "");
  return { code, ...JSON.parse(out) };
}

function assertLines(lines: readonly string[], expected: readonly RegExp[]): void {
  assert.equal(lines.length, expected.length, lines.join("\n"));
  expected.forEach((pattern, index) => assert.match(lines[index]!, pattern));
}

Deno.test("a fleet that runs as it should is told so, and nothing is changed at GitHub", async () => {
  await using fleet = await startFleet(FLEET);
  const { code, mistakes, warnings, well } = await online(fleet);
  assert.deepEqual([code, mistakes, warnings], [0, [], []]);
  assertLines(well, [
    /^GitHub knows the App .*, with all it needs on \S+\/\S+$/,
    /^Logs can be read at http:/,
  ]);
  assert.ok(fleet.github.requests.every((request) => request.startsWith("GET ")));
});

Deno.test("what is wrong with the App is told by name, with what to do", async () => {
  await using fleet = await startFleet({ ...FLEET, roles: [] });
  const { app } = fleet.github;
  app.permissions = { ...app.permissions, statuses: "read" };
  app.installationPermissions = { ...app.permissions, checks: "read" };
  app.events = app.events.filter((event) => event !== "pull_request");
  const lacking = await online(fleet, (file) => (file.runner!.repos as string[]).push("acme/gone"));
  assert.equal(lacking.code, 2);
  assertLines(lacking.mistakes, [
    /^github_app: the App .* lacks the permission statuses: write; grant it/,
    /^github_app: the App .* does not receive the event pull_request; subscribe to it/,
    /^runner\.repos: .*: its owner has not accepted the permission checks: write; accept it/,
    /^runner\.repos: acme\/gone: the App .* is not installed there, .*; install it from https:/,
  ]);
  app.suspendedAt = "2026-01-01T00:00:00Z";
  const { mistakes } = await online(fleet);
  assert.match(mistakes.at(-1)!, /suspended; its owner has to unsuspend it/);

  assertLines((await online(fleet, (file) => file.github_app!.app_id = 7)).mistakes, [
    /^github_app: .* 401: Integration not found; github_app\.app_id is not an App on/,
  ]);
  await Deno.writeTextFile(join(fleet.folder, "other.pem"), generateAppKey());
  const key = join(fleet.folder, "other.pem");
  assertLines((await online(fleet, (file) => file.github_app!.private_key = key)).mistakes, [
    /^github_app: .* 401: .*; github_app\.private_key is not a key of the App/,
  ]);
  const nowhere = `http://127.0.0.1:${freePort()}`;
  assertLines((await online(fleet, (file) => file.github!.api_url = nowhere)).mistakes, [
    /^github_app: Cannot read the App: no answer from GitHub/,
  ]);
  const { logs } = fleet.listens;
  const noApi = await online(fleet, (file) => {
    file.github!.api_url = `${fleet.github.url}/nonsense`;
    file.log_api_config!.serve_root = `http://127.0.0.1:${logs}`;
  });
  // The fake notes every request that GitHub does not describe: this one was meant.
  fleet.github.violations.length = 0;
  assertLines(noApi.mistakes, [/404: .*; check that github\.api_url is GitHub's API/]);
});

Deno.test("a log address that people cannot read is a warning with what to do", async () => {
  await using fleet = await startFleet({ ...FLEET, roles: [] });
  const answers = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => new Response("", { status: Number(new URL(request.url).pathname.split("/")[1]) }),
  );
  const port = answers.addr.port;
  const of = async (serve_root: string) => {
    const said = await online(fleet, (file) => file.log_api_config!.serve_root = serve_root);
    assert.equal(said.code, 0);
    return said.warnings;
  };
  const cases: [string, RegExp][] = [
    [`http://127.0.0.1:${freePort()}`, /nothing listens there; start log-message-collector/],
    [`http://127.0.0.1:${port}/404`, /answered 404: the log server has no page there/],
    [`http://127.0.0.1:${port}/502`, /answered 502: the reverse proxy does not reach/],
    ["http://logs.invalid", /its host name does not resolve/],
    [`https://127.0.0.1:${port}`, /TLS fails/],
  ];
  for (const [address, expected] of cases) assertLines(await of(address), [expected]);
  await answers.shutdown();
});

Deno.test({
  name: "what is wrong with the broker is one line with what to do, and nothing is changed there",
  ignore: withoutRabbitMq(),
  async fn(t) {
    await using server = await startRabbitMq({ tls: true });
    const vhost = await server.vhost();
    await using fleet = await startFleet({ ...FLEET, vhost });

    await t.step("all is well", async () => {
      const { code, mistakes, warnings, well } = await online(fleet);
      assert.deepEqual([code, mistakes, warnings], [0, [], []]);
      assert.match(
        well.join("\n"),
        /RabbitMQ .* lets tickborg do what github-webhook-receiver, .*, stats must/,
      );
    });

    const { port, caFile } = server.tls;
    const tls = { ssl: true, host: `localhost:${port}`, ca_file: caFile };
    const cases: [string, Record<string, unknown>, RegExp][] = [
      [
        "vhost",
        { virtualhost: "no pe" },
        /no pe not found; correct virtualhost, or create it: rabbitmqctl add_vhost 'no pe'$/,
      ],
      [
        "user",
        { username: "nobody" },
        /Login was refused.*; there is no user nobody, or password_file/,
      ],
      [
        "password",
        { password_file: fleet.configPath },
        /Login was refused.*rabbitmqctl change_password tickborg$/,
      ],
      [
        "closed port",
        { host: `127.0.0.1:${freePort()}` },
        /ECONNREFUSED.*; nothing listens on port \d+ of 127\.0\.0\.1; start RabbitMQ/,
      ],
      ["host", { host: "mq.invalid" }, /; the name mq\.invalid does not resolve/],
      [
        "TLS to a port without",
        { ...tls, host: `localhost:${vhost.port}` },
        /; port \d+ does not speak TLS; use/,
      ],
      [
        "no TLS to a port with",
        { host: `127.0.0.1:${port}` },
        /if it is the TLS port, set "ssl": true/,
      ],
      [
        "an authority that is not known",
        { ...tls, ca_file: undefined },
        /set ca_file to the authority's PEM file/,
      ],
    ];
    for (const [what, change, expected] of cases) {
      await t.step(what, async () => {
        const said = await online(fleet, (file) => Object.assign(file.rabbitmq!, change));
        assert.equal(said.code, 2);
        assertLines(said.mistakes, [expected]);
        assert.match(said.mistakes[0]!, /^rabbitmq: Cannot connect: /);
        assert.doesNotMatch(said.mistakes[0]!, /undefined/);
        assert.ok(!JSON.stringify(said).includes(server.password));
      });
    }

    await t.step("TLS with the authority", async () => {
      const { mistakes } = await online(fleet, (file) => Object.assign(file.rabbitmq!, tls));
      assert.deepEqual(mistakes, []);
    });

    await t.step("a user without rights on the virtual host", async () => {
      await addUser("guest1");
      assertLines((await online(fleet, (file) => file.rabbitmq!.username = "guest1")).mistakes, [
        /access to vhost .* refused for user 'guest1'; give the user rights there: sh deploy\/rabbitmq\/setup\.sh/,
      ]);
    });

    await t.step("a user who may neither read nor write what a role must", async () => {
      await addUser("guest2");
      await server.ctl(
        "set_permissions",
        "-p",
        vhost.name,
        "guest2",
        "",
        "^(stats|amq.default)$",
        "",
      );
      const { mistakes, warnings } = await online(fleet, (file) => {
        file.stats!.rabbitmq = { ...file.rabbitmq!, username: "guest2" };
        file.evaluation_filter!.rabbitmq = { ...file.rabbitmq!, username: "guest2" };
      });
      assert.deepEqual(warnings, []);
      assert.ok(
        mistakes.some((line) =>
          /^stats\.rabbitmq: Cannot consume queue stats-events.*ACCESS_REFUSED.*; the user guest2 lacks this right/
            .test(line)
        ),
        mistakes.join("\n"),
      );
      assert.ok(
        mistakes.some((line) =>
          /^evaluation_filter\.rabbitmq: Cannot publish to exchange \S+: .*guest2 lacks this right/
            .test(line)
        ),
        mistakes.join("\n"),
      );
    });

    await t.step("nothing is changed", async () => {
      const { ready } = (await fleet.broker.inspect("stats-events"))!;
      assert.equal(ready, 0);
      const empty = await server.vhost();
      const { code, warnings } = await onEmpty(fleet, empty);
      assert.equal(code, 0);
      assert.match(
        warnings.join("\n"),
        /there is no queue \S+ yet; a role makes it at its start if tickborg may/,
      );
      assert.equal((await server.ctl("list_queues", "-p", empty.name, "name")).trim(), "");
    });

    async function addUser(name: string): Promise<void> {
      await server.ctl("add_user", name, server.password);
    }
  },
});

function onEmpty(fleet: Fleet, vhost: Vhost): Promise<Said> {
  return online(fleet, (file) => file.rabbitmq!.virtualhost = vhost.name);
}
