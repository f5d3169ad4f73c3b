/** Every mistake in a configuration is named at once: its key, what was found and what is allowed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadConfig, parseConfig, rabbitMqOf, readSecret } from "../../lib/config/config.ts";
import { ConfigError } from "../../lib/errors.ts";

const runner = { identity: "builder-1", repos: ["project-tick/Project-Tick"] };
const rabbitmq = { ssl: false, host: "localhost", username: "tickborg", password_file: "/run/pw" };

function mistakes(value: unknown): string[] {
  try {
    parseConfig(value);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split("\n").slice(1).map((line) => line.trim());
  }
  return [];
}

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

Deno.test("all mistakes are reported together", () => {
  const lines = mistakes({
    runner: { identity: 7, repos: ["no-slash"], trusted_user: [] },
    build: { system: "x86_64-linus", build_timeout_seconds: 10 },
    stats: { listen: 9090 },
    projects: [
      { name: "a", path: "../a", build_system: "CMake" },
      { name: "b", path: "b", build_system: "Bazel" },
    ],
    rabbit: {},
  });
  const expected = [
    /^runner\.identity: expected string; found 7$/,
    /^runner\.repos\[0\]: expected owner\/name; found "no-slash"$/,
    /^runner\.trusted_user: no such key; allowed: .*trusted_users/,
    /^build\.system: expected one or several of x86_64-linux, .*; found "x86_64-linus"$/,
    /^build\.build_timeout_seconds: expected at least 300 seconds; found 10$/,
    /^stats\.listen: expected .*; found 9090$/,
    /^projects\[0\]\.path: expected a relative path inside the repository.*; found "\.\.\/a"$/,
    /^projects\[1\]\.build_system: expected CMake, Meson, .*; found "Bazel"$/,
    /^rabbit: no such key; allowed: rabbitmq, /,
  ];
  for (const pattern of expected) {
    assert.ok(lines.some((line) => pattern.test(line)), `${pattern} in\n${lines.join("\n")}`);
  }
  assert.equal(lines.length, expected.length, lines.join("\n"));
});

Deno.test("a missing section says what is expected", () => {
  assert.deepEqual(mistakes({}), ["runner: missing; expected object"]);
});

Deno.test("project names are unique and dependencies exist", () => {
  const project = { name: "a", path: "a", build_system: "Make" };
  const lines = mistakes({ runner, projects: [project, { ...project, depends_on: ["zlib"] }] });
  assert.deepEqual(lines, [
    'projects[1].name: a stands twice; found "a"',
    'projects[1].depends_on[0]: no project is named zlib; found "zlib"',
  ]);
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
