/** Configuration files: the Rust bot's and ours, and what holds where they say nothing. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadConfig, parseConfig, rabbitMqOf } from "../../lib/config/config.ts";
import { logServerOf, logViewerOf, sectionOf } from "../../lib/config/sections.ts";
import { readSecret } from "../../lib/config/secrets.ts";

const runner = { identity: "builder-1", repos: ["project-tick/Project-Tick"] };
const rabbitmq = { ssl: false, host: "localhost", username: "tickborg", password_file: "/run/pw" };

Deno.test("a file written for the Rust bot loads", () => {
  const config = parseConfig({
    github_webhook_receiver: {
      listen: "0.0.0.0:9899",
      webhook_secret_file: "/run/secrets/webhook",
      rabbitmq,
    },
    log_api_config: {
      listen: "0.0.0.0:9898",
      logs_path: "/var/log/tickborg",
      serve_root: "https://x",
    },
    evaluation_filter: { rabbitmq },
    github_comment_filter: { rabbitmq },
    github_comment_poster: { rabbitmq },
    mass_rebuilder: { rabbitmq },
    builder: { rabbitmq },
    push_filter: { rabbitmq, default_attrs: ["cmark"] },
    log_message_collector: { rabbitmq, logs_path: "/var/log/tickborg" },
    stats: { rabbitmq },
    runner: { ...runner, instance: 1, disable_trusted_users: false, trusted_users: ["ada"] },
    checkout: { root: "/var/cache/tickborg" },
    build: { system: ["x86_64-linux"], build_timeout_seconds: 3600, extra_env: { A: "b" } },
    github_app: {
      app_id: 1,
      private_key: "/run/secrets/key.pem",
      oauth_client_id: "Iv1.x",
      oauth_client_secret_file: "/run/secrets/oauth",
    },
  });
  assert.equal(config.stats?.listen, "0.0.0.0:9090");
  assert.equal(config.github.handle, "@tickbot");
});

Deno.test("a role's own broker overrides the common one", () => {
  const config = parseConfig({
    runner,
    rabbitmq,
    stats: { rabbitmq: { ...rabbitmq, host: "other:5673" } },
    evaluation_filter: {},
  });
  assert.equal(rabbitMqOf(config, "stats")?.host, "other:5673");
  assert.equal(rabbitMqOf(config, "evaluation_filter")?.host, "localhost");
});

Deno.test("an option of the Rust bot that is null counts as absent", () => {
  const config = parseConfig({
    rabbitmq: { ...rabbitmq, virtualhost: null },
    runner: { ...runner, instance: null, trusted_users: null, disable_trusted_users: null },
    push_filter: { rabbitmq: null, default_attrs: null },
    stats: null,
    github: null,
    projects: null,
  });
  assert.equal(config.rabbitmq!.virtualhost, undefined);
  assert.deepEqual(config.runner.trusted_users, []);
  assert.deepEqual([config.push_filter, config.stats, config.projects], [{}, undefined, undefined]);
  assert.throws(() => parseConfig({ runner: null }), /runner: missing; expected object/);
  assert.throws(() => parseConfig({ runner: { ...runner, repos: [null] } }), /found null/);
});

Deno.test("a null that the Rust bot would not take, or that says something, is a mistake", () => {
  const files: [file: Record<string, unknown>, mistake: RegExp][] = [
    [{ runner: { ...runner, trusted_userz: null } }, /runner\.trusted_userz: no such key/],
    [{ runner, statz: null }, /statz: no such key/],
    [{ runner, github: { rabbitmq: null } }, /github\.rabbitmq: no such key/],
    [{ runner, github: { untrusted_systems: null } }, /untrusted_systems: .*found null/],
    [{ runner, log_message_collector: { logs_path: "/l", keep_days: null } }, /found null/],
    [{ runner, rabbitmq: { ...rabbitmq, ca_file: null } }, /rabbitmq\.ca_file: .*found null/],
    [{ runner, constructor: { a: null } }, /constructor: no such key/],
  ];
  for (const [file, mistake] of files) assert.throws(() => parseConfig(file), mistake);
  const build = { system: "x86_64-linux", build_timeout_seconds: 300, extra_env: null };
  assert.deepEqual(parseConfig({ runner, build }).build!.extra_env, {});
  const stats = { rabbitmq: { ...rabbitmq, virtualhost: null } };
  assert.equal(parseConfig({ runner, stats }).stats!.rabbitmq!.host, "localhost");
});

Deno.test("the fleet serves Linux and what the file builds, unless it says otherwise", () => {
  const build = { system: ["aarch64-darwin", "x86_64-darwin"] };
  assert.deepEqual(parseConfig({ runner }).github.systems, ["x86_64-linux"]);
  assert.deepEqual(parseConfig({ runner, build: { system: "x86_64-linux" } }).github.systems, [
    "x86_64-linux",
  ]);
  assert.deepEqual(parseConfig({ runner, build, github: { handle: "@b" } }).github.systems, [
    "x86_64-linux",
    "aarch64-darwin",
    "x86_64-darwin",
  ]);
  const systems = ["x86_64-darwin", "aarch64-darwin"];
  assert.deepEqual(parseConfig({ runner, build, github: { systems } }).github.systems, systems);
});

Deno.test("a section that is absent has its defaults", () => {
  const absent = parseConfig({ runner });
  const present = parseConfig({
    runner,
    builder: {},
    github_comment_poster: {},
    mass_rebuilder: {},
    stats: {},
  });
  for (const name of ["builder", "github_comment_poster", "mass_rebuilder", "stats"] as const) {
    assert.deepEqual(sectionOf(absent, name), sectionOf(present, name));
  }
  assert.equal(sectionOf(undefined, "builder").concurrency, 1);
  assert.equal(
    sectionOf({ builder: { ...present.builder!, concurrency: 3 } }, "builder").concurrency,
    3,
  );
});

Deno.test("logs are linked to where they are served, in files of the Rust bot too", () => {
  const of = (serve_root: string, poster = {}) =>
    parseConfig({
      runner,
      log_api_config: { logs_path: "/l", serve_root },
      github_comment_poster: poster,
    });
  for (const end of ["", "/", "/logfile", "/logfile/"]) {
    const config = of(`https://ci.example.com/logs${end}`);
    assert.equal(logServerOf(config), "https://ci.example.com/logs");
    assert.equal(logViewerOf(config), "https://ci.example.com/logs");
  }
  assert.equal(logViewerOf(of("https://a", { log_viewer: "https://b" })), "https://b");
  assert.equal(logServerOf(parseConfig({ runner })), "");
  assert.equal(logViewerOf(parseConfig({ runner })), undefined);
});

Deno.test("a file that is not there or not JSON says what to do", async () => {
  await assert.rejects(loadConfig("/nowhere/config.json"), /no such file\n.*CONFIG_PATH/);
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "config.json");
    await Deno.writeTextFile(path, "{ runner: }");
    await assert.rejects(loadConfig(path), (error: Error) => error.message.includes(path));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a file saved with a byte order mark, as Windows does, loads", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "config.json");
    await Deno.writeTextFile(path, `\ufeff${JSON.stringify({ runner })}`);
    assert.equal((await loadConfig(path)).runner.identity, "builder-1");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a key that stands twice is refused, with its line", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "config.json");
    const build =
      '{ "system": "x86_64-linux", "build_timeout_seconds": 600,\n "system": "x86_64-darwin" }';
    await Deno.writeTextFile(
      path,
      `\ufeff{ "runner": ${JSON.stringify(runner)},\n "build": ${build} }`,
    );
    await assert.rejects(
      loadConfig(path),
      /: line 3: duplicate key system; remove one of them$/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a secret is a file's content without its last newline", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "secret");
    await Deno.writeTextFile(path, "s3cr%t:/@ \n");
    assert.equal(await readSecret(path, "rabbitmq.password_file"), "s3cr%t:/@ ");
    await Deno.writeTextFile(path, "\n");
    await assert.rejects(readSecret(path, "rabbitmq.password_file"), /password_file: .* is empty/);
    await assert.rejects(readSecret(`${path}x`, "the.key"), /the\.key: cannot read .*no such file/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
