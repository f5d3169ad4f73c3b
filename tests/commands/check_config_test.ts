/** `tickborg check-config` and `tickborg all`: what keeps a configuration from being used is told at once. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { hostSystem, SYSTEMS } from "../../lib/messages/systems.ts";
import { checkConfig, runner } from "./check_config.ts";
import { tickborg } from "./run.ts";
import { inFolder } from "../support/in_folder.ts";

Deno.test("a role that lacks another section is a mistake, each role in a line", () =>
  inFolder(async (folder) => {
    const { code, mistakes, all } = await checkConfig(folder, { builder: {}, push_filter: {} });
    assert.equal(code, 2);
    assert.deepEqual(mistakes, [
      "push_filter: role push-filter needs checkout too",
      "builder: role builder needs build, checkout too",
    ]);
    const { code: started, err } = await all();
    assert.equal(started, 2);
    for (const line of mistakes) assert.ok(err.includes(`\n  ${line}\n`), err);
  }));

Deno.test("a configuration of which no role can be run is a mistake", () =>
  inFolder(async (folder) => {
    const { code, mistakes, all } = await checkConfig(folder, {});
    assert.equal(code, 2);
    assert.equal(mistakes.length, 1);
    assert.match(
      mistakes[0]!,
      /^No role has a section; expected .*github_webhook_receiver, .*stats/,
    );
    const { code: started, err } = await all();
    assert.equal(started, 2);
    assert.match(err, /No role has a section/);
  }));

Deno.test("all does not run some roles on RabbitMQ and others on none", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "password"), "x\n");
    const rabbitmq = { host: "mq", username: "u", password_file: join(folder, "password") };
    const { code, all } = await checkConfig(folder, { stats: { rabbitmq }, evaluation_filter: {} });
    assert.equal(code, 0);
    const { code: started, err } = await all();
    assert.equal(started, 2);
    assert.match(err, /\n {2}evaluation_filter\.rabbitmq: missing, but other roles have one/);
  }));

Deno.test("a file that cannot be read or parsed is one error, the same that all tells", () =>
  inFolder(async (folder) => {
    const broken = join(folder, "broken.json");
    await Deno.writeTextFile(broken, "{ runner: }");
    for (const path of [join(folder, "none.json"), folder, broken]) {
      const check = await tickborg(["check-config", "--config", path]);
      assert.deepEqual([check.code, check.out], [2, ""]);
      assert.equal(check.err, (await tickborg(["all", "--config", path])).err);
      const json = await tickborg(["check-config", "--config", path, "--json"]);
      assert.deepEqual([json.code, json.err], [2, ""]);
      const { ok, mistakes } = JSON.parse(json.out);
      assert.equal(ok, false);
      assert.deepEqual(mistakes, [check.err.split("\n")[0]]);
    }
  }));

Deno.test("an address of logs that no browser could open is a mistake, an empty one is not", () =>
  inFolder(async (folder) => {
    const of = (serve_root: string, log_viewer: string) =>
      checkConfig(folder, {
        log_api_config: { logs_path: folder, serve_root },
        log_message_collector: { logs_path: folder },
        github_comment_poster: { log_viewer },
        stats: { listen: 1 },
      });
    const expected = "expected an address that begins with http:// or https://; found";
    for (const odd of ["ci.example.com", "ftp://ci.example.com", "https://", "https://a b"]) {
      const { code, mistakes } = await of(odd, odd);
      assert.equal(code, 2);
      assert.deepEqual(mistakes.slice(1), [
        `log_api_config.serve_root: ${expected} "${odd}"`,
        `github_comment_poster.log_viewer: ${expected} "${odd}"`,
      ]);
    }
    for (const fine of ["", "http://127.0.0.1:8081", "https://ci.example.com/logs/"]) {
      assert.equal((await of(fine, fine)).mistakes.length, 1, fine);
    }
  }));

Deno.test("a folder of logs that is ignored beside another one is a mistake", () =>
  inFolder(async (folder) => {
    const of = async (logs_path: string, collector: Record<string, unknown>) => {
      const log_api_config = { logs_path, serve_root: "" };
      return (await checkConfig(folder, { log_api_config, stats: {}, ...collector })).mistakes;
    };
    const collector = { log_message_collector: { logs_path: "/var/log/tickborg" } };
    assert.deepEqual(await of("/srv/logs", collector), [
      "log_api_config.logs_path: ignored, log_message_collector.logs_path is used; " +
      'expected "/var/log/tickborg", found "/srv/logs"',
    ]);
    assert.deepEqual(await of("/var/log/tickborg/", collector), []);
    assert.deepEqual(await of("/srv/logs", {}), []);
  }));

Deno.test("a builder for a system that this machine is not is refused unless it is forced", () =>
  inFolder(async (folder) => {
    const host = hostSystem();
    const foreign = SYSTEMS.find((system) => system !== host)!;
    const of = (system: unknown, builder: Record<string, unknown> = {}) =>
      checkConfig(folder, { builder, build: { system }, checkout: { root: folder } });
    for (const system of [foreign, [host, foreign]]) {
      const { code, mistakes, all } = await of(system);
      assert.deepEqual([code, mistakes], [2, [
        `build.system: this machine is ${host}; found "${foreign}"; run that builder on such a ` +
        "machine, or set builder.foreign_systems if this one emulates it",
      ]]);
      const { code: started, err } = await all();
      assert.equal(started, 2);
      assert.ok(err.includes(`\n  ${mistakes[0]}\n`), err);
      assert.deepEqual((await of(system, { foreign_systems: true })).mistakes, []);
    }
    assert.deepEqual((await of(host)).mistakes, []);
    const path = join(folder, "config.json");
    const [build, checkout] = [{ system: foreign }, { root: folder }];
    // What other roles read of `build` is no builder's.
    await Deno.writeTextFile(
      path,
      JSON.stringify({ runner, build, checkout, evaluation_filter: {} }),
    );
    assert.equal((await tickborg(["check-config", "--config", path])).code, 0);
  }));

Deno.test("one role alone can be checked, where other roles' secrets are elsewhere", () =>
  inFolder(async (folder) => {
    const path = join(folder, "config.json");
    await Deno.writeTextFile(join(folder, "password"), "x\n");
    const mq = (file: string) => ({ host: "mq", username: "u", password_file: join(folder, file) });
    const sections = { stats: { rabbitmq: mq("password") }, push_filter: { rabbitmq: mq("none") } };
    await Deno.writeTextFile(path, JSON.stringify({ runner, ...sections }));
    const check = (...roles: string[]) => {
      const words = roles.flatMap((role) => ["--role", role]);
      return tickborg(["check-config", "--config", path, ...words, "--json"]);
    };
    assert.equal((await check("stats")).code, 0);
    assert.deepEqual(JSON.parse((await check("push-filter")).out).mistakes, [
      "push_filter: role push-filter needs checkout too",
      `push_filter.rabbitmq.password_file: cannot read ${join(folder, "none")}: no such file`,
    ]);
    assert.equal((await check("stats", "push-filter")).code, 2);
    const { code, err } = await check("statistics");
    assert.deepEqual(
      [code, err.split(";")[0]],
      [2, "--role: no role is named statistics"],
    );
  }));
