/** The command line: help at every level, one clear line for a mistake, stable exit codes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../commands/table.ts";
import { VERSION } from "../lib/common/version.ts";
import { ROLE_NAMES } from "../services/roles.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

async function tickborg(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args],
    env: { NO_COLOR: "1", CONFIG_PATH: "/nowhere/config.json" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}

Deno.test("--help lists every role and command from their tables", async () => {
  const { code, out } = await tickborg("--help");
  assert.equal(code, 0);
  for (const name of [...ROLE_NAMES, ...Object.keys(COMMANDS)]) {
    assert.match(out, new RegExp(`^  ${name} `, "m"));
  }
});

for (const name of [...ROLE_NAMES, ...Object.keys(COMMANDS)]) {
  Deno.test(`${name} --help says how it is used`, async () => {
    const { code, out, error } = await tickborg(name, "--help");
    assert.equal(code, 0, error);
    assert.match(out, new RegExp(`^Usage: tickborg ${name}`, "m"));
    assert.equal(error, "");
  });

  Deno.test(`${name} refuses an option it does not know in one line`, async () => {
    const { code, out, error } = await tickborg(name, "--no-such-option");
    assert.equal(code, 2);
    assert.match(error, /^[^\n]*--no-such-option[^\n]*\n$/);
    assert.equal(out, "");
  });
}

Deno.test("--version prints the version of deno.json and nothing else", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  assert.match(version, /^\d+\.\d+\.\d+$/);
  assert.equal(VERSION, version);
  for (const word of ["--version", "-V"]) {
    assert.deepEqual(await tickborg(word), { code: 0, out: `tickborg ${version}\n`, error: "" });
  }
  assert.match((await tickborg("--help")).out, /--version/);
});

Deno.test("no word is answered with the help, an unknown one with one line; both are exit code 2", async () => {
  const none = await tickborg();
  assert.equal(none.code, 2);
  assert.match(none.error, /^Usage: tickborg/m);
  const unknown = await tickborg("biulder");
  assert.deepEqual([unknown.code, unknown.out], [2, ""]);
  assert.equal(unknown.error, 'No role or command is named "biulder"; see --help\n');
});

Deno.test("a role without a configuration says which file it looked for", async () => {
  const { code, error } = await tickborg("builder");
  assert.equal(code, 2);
  assert.match(error, /Cannot read configuration \/nowhere\/config\.json: no such file/);
});

Deno.test("roles --json prints the table and nothing else", async () => {
  const { code, out } = await tickborg("roles", "--json");
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(out).map(({ role }: { role: string }) => role), ROLE_NAMES);
});

Deno.test("check-config names every mistake, also as JSON", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "config.json");
    await Deno.writeTextFile(
      path,
      JSON.stringify({ runner: { identity: 1, repos: [] }, stat: {} }),
    );
    const text = await tickborg("check-config", "--config", path);
    assert.equal(text.code, 2);
    assert.match(text.error, /2 mistakes\n *runner\.identity: .*\n *stat: no such key/);
    const json = await tickborg("check-config", "--config", path, "--json");
    assert.equal(json.code, 2);
    const { ok, mistakes } = JSON.parse(json.out);
    assert.equal(ok, false);
    assert.ok(mistakes.some((line: string) => line.startsWith("runner.identity: ")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("check-config looks at the secret files too", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "config.json");
    const config = {
      runner: { identity: "a", repos: [] },
      github_webhook_receiver: { webhook_secret_file: join(folder, "secret") },
    };
    await Deno.writeTextFile(path, JSON.stringify(config));
    const missing = await tickborg("check-config", "--config", path);
    assert.equal(missing.code, 2);
    assert.match(missing.error, /github_webhook_receiver\.webhook_secret_file: .*no such file/);
    await Deno.writeTextFile(join(folder, "secret"), "s\n");
    const there = await tickborg("check-config", "--config", path);
    assert.deepEqual([there.code, there.error], [0, ""]);
    assert.match(there.out, /github-webhook-receiver +configured/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
