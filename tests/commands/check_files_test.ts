/** `tickborg check-config` and `tickborg all`: the files that a configuration names are looked at before a start. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { checkConfig, runner } from "./check_config.ts";
import { tickborg } from "./run.ts";
import { inFolder } from "../support/in_folder.ts";

Deno.test("every file that cannot be used is told at once", () =>
  inFolder(async (folder) => {
    const file = async (name: string, text: string) => {
      await Deno.writeTextFile(join(folder, name), text);
      return join(folder, name);
    };
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const mq = { host: "mq", ssl: true, username: "u", password_file: join(folder, "none") };
    const config = {
      rabbitmq: { ...mq, ca_file: await file("ca", "no certificate\n") },
      stats: {},
      github_comment_filter: {},
      builder: { rabbitmq: { ...mq, ca_file: join(folder, "no-ca") } },
      build: { system: "x86_64-linux" },
      checkout: { root: folder },
      github_webhook_receiver: { webhook_secret_file: await file("empty", "\n") },
      github_app: {
        app_id: 1,
        private_key: await file(
          "key",
          privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
        ),
        oauth_client_secret_file: join(folder, "no-oauth"),
      },
    };
    const { code, mistakes, all } = await checkConfig(folder, config);
    assert.equal(code, 2);
    const expected = [
      /^rabbitmq\.password_file: cannot read \S+\/none: no such file$/,
      /^builder\.rabbitmq\.password_file: cannot read \S+\/none: no such file$/,
      /^github_webhook_receiver\.webhook_secret_file: \S+\/empty is empty$/,
      /^github_app\.private_key: expected an RSA key, found ec$/,
      /^rabbitmq\.ca_file: expected certificates in PEM in \S+\/ca, found none$/,
      /^builder\.rabbitmq\.ca_file: cannot read \S+\/no-ca: no such file$/,
    ];
    assert.equal(mistakes.length, expected.length, mistakes.join("\n"));
    expected.forEach((pattern, index) => assert.match(mistakes[index]!, pattern));
    const { code: started, err } = await all();
    assert.equal(started, 2);
    for (const line of mistakes) assert.ok(err.includes(`\n  ${line}\n`), err);
  }));

Deno.test("the files of sections without a mistake are told beside mistakes of others", () =>
  inFolder(async (folder) => {
    const rabbitmq = { host: "mq", username: "u", password_file: join(folder, "none") };
    const { code, mistakes, loadedLater } = await checkConfig(folder, {
      rabbitmq,
      stats: {},
      builder: { concurrency: 0, rabbitmq: { ...rabbitmq, password_file: join(folder, "own") } },
      github_webhook_receiver: { webhook_secret_file: "credential:webhook-secret" },
      nonsense: 1,
    });
    assert.equal(code, 2);
    const keys = mistakes.map((line) => line.split(/[:;] /).slice(0, 2).join(": "));
    assert.deepEqual(keys, [
      "builder.concurrency: too small",
      "nonsense: no such key",
      `rabbitmq.password_file: cannot read ${join(folder, "none")}`,
    ]);
    assert.deepEqual(loadedLater, ["github_webhook_receiver.webhook_secret_file"]);
  }));

Deno.test("nobody is asked for a file that none of the roles reads", () =>
  inFolder(async (folder) => {
    const none = join(folder, "none");
    const { mistakes, all } = await checkConfig(folder, {
      rabbitmq: { host: "mq", username: "u", password_file: none },
      stats: { rabbitmq: { host: "mq", username: "u", password_file: join(folder, "own") } },
      github_app: { app_id: 1, private_key: none },
    });
    assert.equal(mistakes.length, 1);
    assert.match(mistakes[0]!, /^stats\.rabbitmq\.password_file: cannot read/);
    const { err } = await all();
    assert.match(err, /\n {2}stats\.rabbitmq\.password_file: cannot read/);
    assert.doesNotMatch(err, /\/none/);
  }));

Deno.test("a file can be used whose OAuth secret, which no role reads, is not on this machine", () =>
  inFolder(async (folder) => {
    const { code, mistakes, loadedLater } = await checkConfig(folder, {
      stats: {},
      github_app: {
        app_id: 1,
        private_key: "credential:key",
        oauth_client_secret_file: join(folder, "none"),
      },
    });
    assert.deepEqual([code, mistakes, loadedLater], [0, [], []]);
  }));

Deno.test("what systemd brings later is no mistake", () =>
  inFolder(async (folder) => {
    const { code, mistakes, loadedLater } = await checkConfig(folder, {
      github_webhook_receiver: { webhook_secret_file: "credential:webhook-secret" },
    });
    assert.deepEqual([code, mistakes], [0, []]);
    assert.deepEqual(loadedLater, ["github_webhook_receiver.webhook_secret_file"]);
  }));

Deno.test("a role names the very key whose file it cannot read", () =>
  inFolder(async (folder) => {
    const path = join(folder, "config.json");
    const own = { host: "mq", username: "u", password_file: join(folder, "none") };
    await Deno.writeTextFile(path, JSON.stringify({ runner, stats: { rabbitmq: own } }));
    const { code, err } = await tickborg(["stats", "--config", path]);
    assert.equal(code, 2);
    assert.match(err, /^stats\.rabbitmq\.password_file: cannot read \S+: no such file\n$/);
  }));

Deno.test("a relative path is told beside the one that was looked at", () =>
  inFolder(async (folder) => {
    const cwd = await Deno.realPath(folder);
    const github_webhook_receiver = { webhook_secret_file: "secrets/hook" };
    const github_app = { app_id: 1, private_key: "empty" };
    const sections = { github_webhook_receiver, github_app, github_comment_poster: {} };
    const text = JSON.stringify({ runner, ...sections });
    await Deno.writeTextFile(join(folder, "c.json"), text);
    await Deno.writeTextFile(join(folder, "empty"), "\n");
    const check = await tickborg(["check-config", "--config", "c.json", "--json"], { cwd });
    assert.deepEqual(JSON.parse(check.out).mistakes, [
      "github_webhook_receiver.webhook_secret_file: cannot read secrets/hook " +
      `(${join(cwd, "secrets/hook")}): no such file`,
      `github_app.private_key: empty (${join(cwd, "empty")}) is empty`,
    ]);
    const { err } = await tickborg(["stats"], { cwd, env: { CONFIG_PATH: "" } });
    assert.ok(
      err.startsWith(
        `Cannot read configuration ./config.json (${join(cwd, "config.json")}): no such file\n`,
      ),
      err,
    );
  }));
