import assert from "node:assert/strict";
import { plan, TARGETS } from "../../deploy/compile.ts";
import { permissionSets } from "../../deploy/permission_sets.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { inFolder } from "../support/in_folder.ts";

const root = new URL("../../", import.meta.url);

/** Runs `deno task compile`. */
async function compile(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "compile", ...args],
    cwd: root,
    env: { NO_COLOR: "1", DENORT_BIN: "", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** What `deno compile` wrote into a program: its arguments, permissions and V8 flags. */
function bakedInto(path: string) {
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
  const start = text.indexOf('{"argv":[');
  assert.ok(start >= 0, "the program holds no metadata");
  const end = text.indexOf('"app_name":', start);
  return JSON.parse(`${text.slice(start, end)}"end":0}`) as {
    argv: string[];
    permissions: Record<string, string[] | null>;
    v8_flags: string[];
  };
}

Deno.test("a program runs, or the command says loudly what is missing and what to do", () =>
  inFolder(async (folder) => {
    const { code, stderr } = await compile(["--role", "stats", "--output", folder]);
    if (code === 0) {
      const program = await new Deno.Command(`${folder}/stats`, {
        args: ["--config", `${folder}/none.json`],
      }).output();
      assert.equal(program.code, 2);
      assert.match(new TextDecoder().decode(program.stderr), /none\.json: no such file/);
      return;
    }
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^Cannot compile for ${Deno.build.target}: Deno's runtime`));
    assert.match(stderr, /DENORT_BIN/);
    assert.match(stderr, new RegExp(`denort-${Deno.build.target}\\.zip`));
    assert.doesNotMatch(stderr, /backtrace|at .*\.ts:/);
    assert.deepEqual([...Deno.readDirSync(folder)], [], "nothing half-made is left");
  }));

Deno.test("a runtime that is not denort makes no program", () =>
  inFolder(async (folder) => {
    const { code, stderr } = await compile(["--role", "stats", "--output", folder], {
      DENORT_BIN: Deno.execPath(),
    });
    assert.equal(code, 1);
    assert.match(stderr, /because it does not run the role/);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test({
  name: "a program holds its role, its permissions and --jitless",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inFolder(async (folder) => {
      const source = new URL("../support/fake_denort.c", import.meta.url).pathname;
      const cc = await new Deno.Command("cc", { args: ["-o", `${folder}/denort`, source] })
        .output();
      assert.ok(cc.success, new TextDecoder().decode(cc.stderr));
      const { code, stdout, stderr } = await compile(["--output", `${folder}/dist`, "--json"], {
        DENORT_BIN: `${folder}/denort`,
      });
      assert.equal(code, 0, stderr);
      const { programs } = JSON.parse(stdout) as { programs: { role: string; bytes: number }[] };
      assert.deepEqual(programs.map(({ role }) => role), ROLE_NAMES);
      for (const [role, set] of Object.entries(permissionSets())) {
        const baked = bakedInto(`${folder}/dist/${role}`);
        assert.deepEqual(baked.argv, [role]);
        assert.ok(baked.v8_flags.includes("--jitless"), role);
        const { permissions } = baked;
        assert.deepEqual(permissions.allow_env, set.env, role);
        assert.deepEqual(permissions.allow_run, set.run ?? null, role);
        assert.deepEqual(permissions.allow_import, set.import, role);
        assert.deepEqual(permissions.allow_write, set.write === true ? [] : set.write, role);
        assert.equal(permissions.allow_ffi, null, role);
        assert.equal(permissions.prompt, false, role);
      }
    }),
});

Deno.test("programs of several targets stand side by side", () => {
  const paths = plan({
    roles: ["stats"],
    targets: TARGETS,
    folderPerTarget: true,
    output: "/d",
  }).map(({ path }) => path);
  assert.deepEqual(paths, [
    "/d/x86_64-unknown-linux-gnu/stats",
    "/d/aarch64-unknown-linux-gnu/stats",
    "/d/x86_64-apple-darwin/stats",
    "/d/aarch64-apple-darwin/stats",
    "/d/x86_64-pc-windows-msvc/stats.exe",
    "/d/aarch64-pc-windows-msvc/stats.exe",
  ]);
});

Deno.test("wrong arguments get one line and exit code 2", async () => {
  const cases: [string[], Record<string, string>, RegExp][] = [
    [["--role", "x"], {}, /^No role is named x: github-webhook-receiver, /],
    [["--target", "vax"], {}, /^No target is named vax: all, x86_64-unknown-linux-gnu, /],
    [["--target", "all"], { DENORT_BIN: "/bin/true" }, /^DENORT_BIN is the runtime of one target/],
    [["--config", "/nowhere.json"], {}, /^Cannot read configuration \/nowhere\.json: no such file/],
    [["--what"], {}, /^Unknown option '--what'/],
  ];
  for (const [args, env, expected] of cases) {
    const { code, stderr, stdout } = await compile(args, env);
    assert.equal(code, 2, stderr);
    assert.match(stderr, expected);
    assert.equal(stdout, "");
  }
});
