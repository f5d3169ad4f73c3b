import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

async function run(program: string, args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs `tickborg permissions`. */
function permissions(...args: string[]) {
  return run(Deno.execPath(), ["run", "-A", "main.ts", "permissions", ...args]);
}

/** A configuration of the stats role, all of whose paths lie in a folder. */
async function writeConfig(folder: string): Promise<string> {
  const path = join(folder, "config.json");
  await Deno.writeTextFile(join(folder, "password"), "secret\n");
  const config = {
    rabbitmq: { host: "127.0.0.1:1", username: "x", password_file: join(folder, "password") },
    stats: { listen: "127.0.0.1:0" },
    runner: { identity: "x", repos: [] },
  };
  await Deno.writeTextFile(path, JSON.stringify(config));
  return path;
}

Deno.test({
  name: "the flags can be pasted into a shell, whatever the paths hold",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "it's a $folder " });
    try {
      const config = await writeConfig(folder);
      const { code, stdout, stderr } = await permissions("stats", "--config", config);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^--no-prompt .*'--allow-read=.*it'\\''s a \$folder/);
      const probe = (path: string) => {
        const script = `console.log(Deno.permissions.querySync({ name: "read", path: ` +
          `Deno.args[0] }).state)`;
        const file = join(folder, "probe.ts");
        Deno.writeTextFileSync(file, script);
        return run("sh", [
          "-c",
          `"$0" run ${stdout.trim()} "$1" "$2"`,
          Deno.execPath(),
          file,
          path,
        ]);
      };
      assert.equal((await probe(join(folder, "password"))).stdout, "granted\n");
      assert.equal((await probe(folder)).stdout, "prompt\n");
      assert.equal((await probe("/etc/passwd")).stdout, "prompt\n");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("the set without a configuration is that of deno.json", async () => {
  const { stdout } = await permissions("stats", "--static", "--json");
  const { permissions: printed } = JSON.parse(stdout);
  const file = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  assert.deepEqual(printed, file.permissions.stats);
});

Deno.test("wrong arguments get one line and exit code 2", async () => {
  const cases: [string[], RegExp][] = [
    [[], /^Expected one role, found none: github-webhook-receiver, /],
    [["builder", "stats"], /^Expected one role, found builder stats: /],
    [["nobody"], /^Expected one role, found nobody: /],
    [["stats", "--static", "--config", "x"], /^--static is the set without a configuration/],
    [["stats", "--config", "/nowhere.json"], /^Cannot read configuration \/nowhere\.json/],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await permissions(...args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, expected);
  }
});

Deno.test("a role that the configuration does not configure has no set", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const config = await writeConfig(folder);
    const { code, stderr } = await permissions("builder", "--config", config);
    assert.equal(code, 2);
    assert.match(stderr, /^Cannot start builder: the configuration lacks builder, build, checkout/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
