/** `tickborg local`: what the bot would do for a branch, on a machine alone. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gitIn, local, withMonorepo } from "./local.ts";
import { tickborg, tickborgSignalled } from "./run.ts";
import { inFolder } from "../support/in_folder.ts";

Deno.test("a wrong argument is told in one line, with exit code 2", async () => {
  const cases: [string[], RegExp][] = [
    [["--nonsense"], /--nonsense/],
    [["--build", "--test"], /--build and --test/],
    [["--jobs", "0"], /--jobs: expected an integer/],
    [["--repo", "/nonexistent"], /there is no folder \/nonexistent/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await local(...args);
    assert.equal(code, 2, err);
    assert.equal(out, "");
    assert.match(err, message);
    assert.equal(err.trim().split("\n").length, 1);
  }
});

Deno.test("a revision or project that is not there is a wrong argument", async () => {
  await withMonorepo(async ({ workTree }) => {
    const revision = await local("--repo", workTree, "--base", "nowhere");
    assert.equal(revision.code, 2);
    assert.match(revision.err, /"nowhere" names no commit in this repository; see --help\n$/);
    const head = await local("--repo", workTree, "--base", "main", "--head", "pull/7/head");
    assert.equal(head.code, 2);
    assert.match(
      head.err,
      /"pull\/7\/head" names no commit.*git fetch origin refs\/pull\/7\/head;/,
    );
    const project = await local("--repo", workTree, "--base", "main", "libb");
    assert.equal(project.code, 2);
    assert.match(project.err, /No project is named "libb"; did you mean lib\?/);
  });
});

Deno.test("a conflict is told and nothing is built", async () => {
  await withMonorepo(async (monorepo) => {
    await monorepo.commit("change", { "docs/index": "2\n" });
    await monorepo.commit("main", { "docs/index": "3\n" });
    const { code, out } = await local(
      ...["--repo", monorepo.workTree, "--base", "main", "--head", "change"],
    );
    assert.equal(code, 1);
    assert.match(out, /Conflicts with main in docs\/index/);
  });
});

Deno.test("every mistake of the project list is told, for people and in the report", () =>
  withMonorepo(async (monorepo) => {
    const list = [{ name: "lib", path: "/lib", build_system: "Maven" }];
    await monorepo.commit("main", { ".tickborg.json": JSON.stringify(list) });
    const args = ["--repo", monorepo.workTree, "--base", "main"];
    const { code, out, err } = await local(...args);
    assert.equal(code, 1, err);
    const path = "line 1, column 23, project lib: [0].path: expected a relative path inside the " +
      'repository, or ., such as lib; found "/lib"';
    const system =
      "line 1, column 45, project lib: [0].build_system: expected CMake, Meson, Autotools, Cargo, Gradle, Make or " +
      '{"Custom": {"command": "…"}}; found "Maven"';
    assert.ok(out.includes(`\n.tickborg.json has 2 mistakes:\n  ${path}\n  ${system}\n`), out);
    const report = JSON.parse((await local(...args, "--json")).out);
    assert.deepEqual([report.outcome, report.mistakes], ["bad-projects", [path, system]]);
    const named = await local(...args, "--json", "lib");
    assert.equal(named.code, 1, named.err);
    assert.deepEqual(JSON.parse(named.out), report);
    await monorepo.commit("main", { ".tickborg.json": "[\n{]" });
    const broken = await local(...args);
    assert.match(broken.out, /^\.tickborg\.json has 1 mistake:\n {2}line 2, column 2: not JSON: /m);
  }));

Deno.test("a branch that touches no project is fine", async () => {
  await withMonorepo(async (monorepo) => {
    await monorepo.commit("change", { "elsewhere": "2\n" });
    const { code, out } = await local("--repo", monorepo.workTree, "--base", "main");
    assert.equal(code, 0);
    assert.match(out, /No project is touched/);
  });
});

/** Fills a folder that is to be the whole PATH. */
async function linkPrograms(folder: string, programs: readonly string[]): Promise<void> {
  for (const program of programs) {
    const args = ["-c", `command -v ${program}`];
    const { stdout } = await new Deno.Command("sh", { args }).output();
    const path = new TextDecoder().decode(stdout).trim();
    if (path !== "") await Deno.symlink(path, join(folder, program));
  }
}

Deno.test({
  name: "without bubblewrap a dry run shows all the same, and as root a build says what to do",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withMonorepo((monorepo) =>
      inFolder(async (folder) => {
        await monorepo.commit("change", { "docs/index": "2\n" });
        await linkPrograms(folder, ["git", "sh", "id", "make"]);
        const args = ["local", "--repo", monorepo.workTree, "--base", "main"];
        const env = { PATH: folder };
        const shown = await tickborg([...args, "--dry-run"], { env });
        assert.equal(shown.code, 0, shown.err);
        assert.match(shown.out, /^ {2}cd docs && sh -c false$/m);
        assert.equal(shown.err, "");
        if (Deno.uid() !== 0) return;
        const built = await tickborg(args, { env });
        assert.equal(built.code, 2);
        assert.match(built.err, /^Cannot run .* as root without a sandbox: .*--no-sandbox.*\n$/);
      })
    ),
});

Deno.test({
  name: "programs that are missing are told with their packages",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withMonorepo((monorepo) =>
      inFolder(async (folder) => {
        const system = { name: "lib", path: "lib", build_system: "CMake" };
        await monorepo.commit("main", { ".tickborg.json": JSON.stringify([system]) });
        await linkPrograms(folder, ["git", "sh", "rm"]);
        const args = ["local", "--repo", monorepo.workTree, "--base", "main", "--dry-run", "lib"];
        const { out, err } = await tickborg(args, { env: { PATH: folder } });
        const told =
          "Cannot build lib: this builder lacks cmake and ninja (or make); its operator must " +
          "install that (on Debian: apt-get install cmake ninja-build), or remove this system from the " +
          "project's systems";
        assert.ok(out.includes(told), out + err);
      })
    ),
});

Deno.test("what a submodule is called cannot write to the terminal", () =>
  withMonorepo(async ({ workTree }) => {
    const git = (...args: string[]) => gitIn(workTree, ...args);
    const gitmodules = '[submodule "x"]\n\tpath = "ven\x1b[31mdor"\n\turl = "file:///x\x1b[2J"\n';
    await git("checkout", "-q", "-b", "change");
    await Deno.writeTextFile(join(workTree, ".gitmodules"), gitmodules);
    await Deno.writeTextFile(join(workTree, "docs/index"), "2\n");
    await git("add", "-A");
    const link = "160000,0123456789012345678901234567890123456789,ven\x1b[31mdor";
    await git("update-index", "--add", "--cacheinfo", link);
    await git("commit", "-q", "-m", "Add a submodule");
    const { code, out, err } = await local("--repo", workTree, "--base", "main");
    assert.equal(code, 1, err);
    assert.match(out, /^Cannot fetch submodule .*vendor/m);
    assert.ok(!(out + err).includes("\x1b"), err);
  }));

for (const [signal, exitCode] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test({
    name: `a build that ${signal} ends is called stopped, and its folder goes away`,
    ignore: Deno.build.os === "windows",
    fn: () =>
      withMonorepo((monorepo) =>
        inFolder(async (folder) => {
          await monorepo.commit("change", { "app/Makefile": "all:\n\t@echo begun; sleep 600\n" });
          const { code, out, err } = await tickborgSignalled(
            ["local", "--repo", monorepo.workTree, "--base", "main", "--no-sandbox"],
            { signal, after: /^begun$/m, env: { TMPDIR: folder } },
          );
          assert.equal(code, exitCode, out + err);
          assert.match(out, /^app +Stopped +build/m);
          assert.deepEqual([...Deno.readDirSync(folder)], []);
        })
      ),
  });
}

Deno.test("a report names a sandbox only where one was tried", async () => {
  await withMonorepo(async (monorepo) => {
    await monorepo.commit("change", { "docs/index": "2\n" });
    const args = ["--repo", monorepo.workTree, "--base", "main", "--json"];
    const sandbox = async (...more: string[]) =>
      JSON.parse((await local(...args, ...more)).out).sandbox;
    assert.equal(await sandbox("--dry-run"), undefined);
    assert.equal(await sandbox("--head", "main"), undefined);
    assert.equal(await sandbox("--no-sandbox"), "none");
  });
});

Deno.test("a branch that changes the list is validated as the bot does", () =>
  withMonorepo(async (monorepo) => {
    const text = await Deno.readTextFile(`${monorepo.workTree}/.tickborg.json`);
    const list = JSON.parse(text).projects ?? JSON.parse(text);
    const added = { name: "new", path: "new", build_system: { Custom: { command: "true" } } };
    const args = ["--repo", monorepo.workTree, "--base", "main", "--dry-run", "--head"];
    await monorepo.commit("good", {
      ".tickborg.json": JSON.stringify([...list, added]),
      "new/a": "1\n",
    });
    const good = await local(...args, "good");
    assert.equal(good.code, 0, good.err);
    assert.match(good.out, /\nnew: its files change; the bot builds it on /);
    assert.match(good.out, /The bot would say: Building new on .*; by the new definition: new\n/);
    await monorepo.commit("bad", {
      ".tickborg.json": JSON.stringify([...list, { ...added, path: "nwe" }], null, 2),
    });
    const bad = await local(...args, "bad");
    assert.equal(bad.code, 1, bad.err);
    const told = /line (\d+), column 13, project new: the path nwe is not in the repository/;
    assert.match(bad.out, told);
    const report = JSON.parse((await local(...args, "bad", "--json")).out);
    assert.equal(report.outcome, "list-mistakes");
    assert.match(report.mistakes.join(), told);
    const named = await local(...args, "bad", "lib");
    assert.equal(named.code, 1, "a mistake is red whatever is built");
    await monorepo.commit("main", { ".tickborg.json": JSON.stringify([...list, added]) });
    await monorepo.commit("other", { "elsewhere": "1\n" });
    const other = await local(...args, "other");
    assert.equal(other.code, 0, other.err);
    assert.match(other.out, /Note: \.tickborg\.json on main has 1 mistake already:\n {2}line 1, /);
  }));

Deno.test("a merge goes by the base's attributes, not by those that lie in the folder", () =>
  withMonorepo(async (monorepo) => {
    await monorepo.commit("main", {
      "docs/log": "a\n",
      ".gitattributes": "docs/log merge=union\n",
    });
    await monorepo.commit("change", { "docs/log": "a\nchange\n" });
    await monorepo.commit("main", { "docs/log": "a\nmain\n" });
    const args = ["--repo", monorepo.workTree, "--base", "main", "--head", "change", "--dry-run"];
    await Deno.writeTextFile(join(monorepo.workTree, ".gitattributes"), "docs/log -merge\n");
    const { code, out, err } = await local(...args);
    assert.equal(code, 0, out + err);
    assert.doesNotMatch(out, /Conflicts/);
    // A branch cannot have itself merged in a way of its own.
    await gitIn(monorepo.workTree, "checkout", "--quiet", ".gitattributes");
    await monorepo.commit("main", { ".gitattributes": "" });
    const none = await local(...args);
    assert.match(none.out, /Conflicts with main in docs\/log/);
  }));
