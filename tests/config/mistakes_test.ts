/** Every mistake in a configuration is named at once: its key, what was found and what is allowed. */
import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";
import { ConfigError } from "../../lib/common/errors.ts";

const runner = { identity: "builder-1", repos: ["project-tick/Project-Tick"] };

function mistakes(value: unknown): string[] {
  try {
    parseConfig(value);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split("\n").slice(1).map((line) => line.trim());
  }
  return [];
}

Deno.test("whatever was found is told in a line that can be read", () => {
  const long = "n".repeat(5_000);
  const project = { name: long, path: "a", build_system: "Make", depends_on: [`${long}x`] };
  const lines = mistakes({ runner, [long]: 1, projects: [project, project] });
  assert.ok(lines.length >= 5, `${lines.length} mistakes`);
  for (const line of lines) assert.ok(line.length < 1_000, line);
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
    /^build\.system: expected one or more of x86_64-linux, .*; found "x86_64-linus"$/,
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

Deno.test("a file that is no object says so", () => {
  for (const file of [null, [], "x", 7]) {
    assert.deepEqual(mistakes(file), [`the file: expected object; found ${JSON.stringify(file)}`]);
  }
});

Deno.test("project names are unique and dependencies exist", () => {
  const project = { name: "a", path: "a", build_system: "Make" };
  const lines = mistakes({ runner, projects: [project, { ...project, depends_on: ["zlib"] }] });
  assert.deepEqual(lines, [
    'projects[1].name: duplicate name a; found "a"',
    'projects[1].depends_on[0]: no project is named zlib; found "zlib"',
  ]);
});

Deno.test("what is wrong with one project hides nothing that is wrong with the list", () => {
  const lines = mistakes({
    runner: { ...runner, identity: 7 },
    projects: [
      { name: "a", path: "a", build_system: "Bazel" },
      { name: "a", path: "b", build_system: "Make", depends_on: ["zlib", 7] },
      "c",
    ],
  });
  assert.deepEqual(lines.map((line) => line.split(":")[0]).sort(), [
    "projects[0].build_system",
    "projects[1].depends_on[0]",
    "projects[1].depends_on[1]",
    "projects[1].name",
    "projects[2]",
    "runner.identity",
  ]);
});

Deno.test("what is allowed is said in words", () => {
  const lines = mistakes({
    runner: { ...runner, instance: true },
    build: { system: "x86_64-linux", extra_env: { "A-B": "c" } },
    github: { handle: "@two words" },
    projects: [{ name: "two words", path: "a", build_system: "Make", systems: ["linux"] }],
    rabbitmq: { host: "mq:1:2", username: "", password_file: "/p" },
    stats: { listen: "9090" },
  });
  assert.deepEqual(lines.sort(), [
    "build.extra_env.A-B: expected a variable name of letters, digits and _, not starting with a digit; " +
    'found "A-B"',
    "github.handle: expected up to 39 letters, digits and -, with or without @; " +
    'found "@two words"',
    "projects[0].name: expected letters, digits and . _ + -, a letter or digit first; " +
    'found "two words"',
    "projects[0].systems[0]: expected one of x86_64-linux, aarch64-linux, x86_64-darwin, " +
    'aarch64-darwin, x86_64-windows, aarch64-windows, x86_64-freebsd; found "linux"',
    'rabbitmq.host: expected host or host:port; found "mq:1:2"',
    'rabbitmq.username: expected 1 to 255 characters; found ""',
    "runner.instance: expected a text of 1 to 100 characters or an integer; found true",
    'stats.listen: expected host:port, for example 0.0.0.0:8080; found "9090"',
  ]);
});

Deno.test("a port is no greater than ports are", () => {
  for (const port of [0, 80, 65_535]) {
    assert.deepEqual(mistakes({ runner, stats: { listen: `[::1]:${port}` } }), []);
  }
  const rabbitmq = { host: "mq:99999", username: "u", password_file: "/p" };
  assert.deepEqual(mistakes({ runner, rabbitmq, stats: { listen: "0.0.0.0:65536" } }), [
    'rabbitmq.host: expected host or host:port, and a port up to 65535; found "mq:99999"',
    'stats.listen: expected a port up to 65535; found "0.0.0.0:65536"',
  ]);
});

Deno.test("a system that is built but not served is a mistake", () => {
  const config = { runner, build: { system: ["x86_64-linux", "aarch64-darwin"] } };
  assert.deepEqual(mistakes(config), []);
  assert.deepEqual(mistakes({ ...config, github: { systems: ["x86_64-linux"] } }), [
    "github.systems: expected every system of build.system, aarch64-darwin too; " +
    'found ["x86_64-linux"]',
  ]);
  const odd = { system: Array(200).fill(["x86_64-linux"]) };
  const lines = mistakes({ runner, build: odd, github: { systems: ["aarch64-linux"] } });
  assert.ok(lines.length > 0 && lines.every((line) => !line.startsWith("github")), lines[0]);
});
