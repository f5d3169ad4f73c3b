/** `tickborg local` on what is not committed, what it leaves, and what it says last. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Monorepo } from "../../testing/monorepo.ts";
import { filesBelow, gitIn, local, outputOf, withMonorepo } from "./local.ts";
import { tickborg, tickborgUnread } from "./run.ts";
import { inFolder } from "../support/in_folder.ts";

const SHOW =
  'for f in *; do case $f in link) readlink link;; *) echo "$f: $(cat "$f")";; esac; done';
const PROJECTS = JSON.stringify({
  projects: [{ name: "files", path: "files", build_system: { Custom: { command: SHOW } } }],
});

/** A monorepo with one project that shows its files, and `change` checked out in its work tree. */
function withFiles(test: (monorepo: Monorepo) => Promise<void>): Promise<void> {
  return withMonorepo(async (monorepo) => {
    await monorepo.commit("main", {
      ".tickborg.json": PROJECTS,
      "files/a": "1\n",
      "files/b": "1\n",
    });
    await monorepo.commit("change", { "files/a": "2\n" }, { message: "feat(files): two" });
    await test(monorepo);
  });
}

/** Writes files below a folder. */
async function write(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(folder, path), text);
  }
}

Deno.test("--uncommitted builds what is in the work tree, and changes nothing there", () =>
  withFiles(async ({ workTree }) => {
    await write(workTree, { "files/a": "3\n", "files/b": "3\n", ".gitignore": "*.o\n" });
    await gitIn(workTree, "add", "files/a");
    await write(workTree, { "files/a": "4\n", "files/new file": "4\n", "files/x.o": "4\n" });
    await Deno.symlink("a", join(workTree, "files/link"));
    const before = await filesBelow(workTree);
    const without = await local("--repo", workTree, "--no-sandbox");
    assert.match(
      without.out,
      /^Note: 5 uncommitted changes are not built; commit first, or --unc/m,
    );
    assert.match(without.out, /^a: 2\nb: 1\n\n/m);
    const { code, out, err } = await local("--repo", workTree, "--no-sandbox", "--uncommitted");
    assert.equal(code, 0, err);
    assert.match(out, /^Merging HEAD with uncommitted changes \(\w{12}\) into origin\/main/);
    assert.match(out, /^Note: 5 uncommitted changes are built too$/m);
    assert.match(out, /^a: 4\nb: 3\na\nnew file: 4\n\n/m);
    assert.deepEqual(await filesBelow(workTree), before);
  }));

Deno.test("--uncommitted builds a deleted file no more, and without a change it is the commit that is built", () =>
  withFiles(async ({ workTree }) => {
    const args = ["--repo", workTree, "--dry-run", "--json"];
    const head = await outputOf(workTree, "rev-parse", "HEAD");
    const clean = JSON.parse((await local(...args, "--uncommitted")).out);
    assert.deepEqual([clean.uncommitted, clean.workTree, clean.head], [0, false, head]);
    await Deno.remove(join(workTree, "files/b"));
    const { out } = await local("--repo", workTree, "--no-sandbox", "--uncommitted", "--json");
    const dirty = JSON.parse(out);
    assert.deepEqual([dirty.uncommitted, dirty.workTree, dirty.ok], [1, true, true]);
    assert.notEqual(dirty.head, head);
    const { out: shown } = await local("--repo", workTree, "--no-sandbox", "--uncommitted");
    assert.match(shown, /^a: 2\n\n/m);
  }));

Deno.test("--uncommitted knows what the person ignores everywhere, sparse checkouts and merges", () =>
  withFiles((monorepo) =>
    inFolder(async (folder) => {
      const { workTree } = monorepo;
      await write(folder, {
        "ignored": "*.swp\n",
        "config": `[core]\n\texcludesFile = ${folder}/ignored\n`,
      });
      await write(workTree, { "files/a.swp": "1\n" });
      const env = { GIT_CONFIG_GLOBAL: join(folder, "config") };
      const run = (...args: string[]) =>
        tickborg(["local", "--repo", workTree, "--no-sandbox", "--uncommitted", ...args], { env });
      assert.match((await run()).out, /^Merging HEAD \(/);
      await Deno.remove(join(workTree, "files/a.swp"));
      await gitIn(workTree, "sparse-checkout", "set", "files");
      await write(workTree, { "files/b": "5\n" });
      assert.match((await run()).out, /^a: 2\nb: 5\n\n/m);
      await gitIn(workTree, "sparse-checkout", "disable");
      await gitIn(workTree, "checkout", "-q", "files");
      await monorepo.commit("other", { "files/a": "6\n" });
      await gitIn(workTree, "checkout", "-q", "change");
      await assert.rejects(gitIn(workTree, "merge", "-q", "other"));
      const conflict = await run();
      assert.deepEqual([conflict.code, conflict.out], [2, ""]);
      assert.match(
        conflict.err,
        /^Cannot build uncommitted changes: conflicts in files\/a; resolve/,
      );
      await write(workTree, { "files/a": "7\n" });
      await gitIn(workTree, "add", "files/a");
      assert.match((await run("--base", "other")).out, /^a: 7\nb: 1\n\n/m);
    })
  ));

Deno.test("--uncommitted says that it cannot see into a submodule", () =>
  withFiles(async ({ workTree, upstream }) => {
    const add = [
      "-c",
      "protocol.file.allow=always",
      "submodule",
      "--quiet",
      "add",
      upstream,
      "sub",
    ];
    await gitIn(workTree, ...add);
    await gitIn(workTree, "commit", "-q", "-m", "Add a submodule");
    await write(workTree, { "sub/files/a": "8\n" });
    const { out } = await local("--repo", workTree, "--uncommitted", "--no-sandbox");
    assert.match(out, /^Note: changes inside the submodule sub are not built: commit them there$/m);
  }));

Deno.test("the commands that are shown can be pasted at the root of a checkout", () =>
  withFiles((monorepo) =>
    inFolder(async (folder) => {
      const list = [{
        name: "odd",
        path: "odd dir/it's",
        build_system: { Custom: { command: 'echo "it\'s $HOME" >"$TICKBORG_BUILD_DIR/out"' } },
        test_command: 'grep -q it "$TICKBORG_BUILD_DIR/out"\ntest -f "$TICKBORG_SOURCE_DIR/file"',
      }];
      const files = { ".tickborg.json": JSON.stringify(list), "odd dir/it's/file": "1\n" };
      await monorepo.commit("main", files);
      const { out } = await local("--repo", monorepo.workTree, "--test", "--dry-run", "odd");
      const shown = out.split("the bot would not build it for this branch\n")[1]!;
      const [variables, build, test] = shown.split(/^ {2}/m).slice(1);
      await gitIn(folder, "clone", "-q", monorepo.upstream, "checkout");
      // Each at the root, in the shell that has the variables.
      const script = `set -e\n${variables}(${build!.trim()})\n(${test!.trim()})\n`;
      const cwd = join(folder, "checkout");
      const { success, stderr } = await new Deno.Command("sh", { args: ["-c", script], cwd })
        .output();
      assert.ok(success, script + new TextDecoder().decode(stderr));
    })
  ));

Deno.test("a pipe whose reader has gone ends the build at once, without a word, as SIGPIPE would", () =>
  withMonorepo((monorepo) =>
    inFolder(async (folder) => {
      const endless = "all:\n\t@while :; do echo more; done\n";
      await monorepo.commit("change", { "app/Makefile": endless });
      const args = ["local", "--repo", monorepo.workTree, "--base", "main", "--no-sandbox"];
      for (const more of [[], ["--dry-run"], ["--help"]]) {
        const { code, err } = await tickborgUnread([...args, ...more], { env: { TMPDIR: folder } });
        assert.deepEqual([code, err], [more[0] === "--help" ? 0 : 141, ""]);
        assert.deepEqual([...Deno.readDirSync(folder)], []);
      }
    })
  ));

Deno.test("--keep leaves the tree, says where, and nothing else stays", () =>
  withFiles(({ workTree }) =>
    inFolder(async (folder) => {
      const args = ["local", "--repo", workTree, "--no-sandbox", "--keep"];
      const options = { env: { TMPDIR: folder } };
      const { code, out } = await tickborg(args, options);
      assert.equal(code, 0, out);
      const tree = /^files: left in (\S+)$/m.exec(out)![1]!;
      assert.equal(await Deno.readTextFile(join(tree, "files/a")), "2\n");
      const { builds: [build] } = JSON.parse((await tickborg([...args, "--json"], options)).out);
      assert.equal(await Deno.readTextFile(join(build.tree, "files/a")), "2\n");
      assert.equal([...Deno.readDirSync(folder)].length, 2);
      await tickborg([...args, "--head", "main"], options);
      await tickborg([...args, "--base", "nowhere"], options);
      assert.equal([...Deno.readDirSync(folder)].length, 2);
    })
  ));

Deno.test("the last line is the error, with its place as in a checkout", () =>
  withFiles(async (monorepo) => {
    const command = 'echo fine; echo "$PWD/a:1: error: no 2" >&2; exit 3';
    const projects = [{ name: "files", path: "files", build_system: { Custom: { command } } }];
    await monorepo.commit("main", { ".tickborg.json": JSON.stringify(projects) });
    await gitIn(monorepo.workTree, "checkout", "-q", "change");
    for (const sandbox of [[], ["--no-sandbox"]]) {
      const { code, out } = await local("--repo", monorepo.workTree, ...sandbox);
      assert.equal(code, 1);
      assert.match(
        out,
        /^files: build exited with code 3\n {2}cd files && .*\n {2}files\/a:1: no 2\n$/m,
      );
    }
    const { out } = await local("--repo", monorepo.workTree, "--json");
    assert.equal(JSON.parse(out).builds[0].error, "files/a:1: no 2");
  }));

Deno.test("a temporary folder that cannot be written to is told in one line", () =>
  withFiles(async ({ workTree }) => {
    const env = { TMPDIR: "/nonexistent" };
    const { code, err } = await tickborg(["local", "--repo", workTree], { env });
    assert.equal(code, 2);
    assert.match(
      err,
      /^Cannot make a folder for the merged tree: [^\n]+; set TMPDIR to use another place\n$/,
    );
  }));

Deno.test("no project finds what another one's build left, and each one's tree is kept", () =>
  withMonorepo((monorepo) =>
    inFolder(async (folder) => {
      const custom = (name: string, command: string) => ({
        name,
        path: ".",
        build_system: { Custom: { command } },
      });
      const list = [
        custom("one", "echo 1 >left; test ! -e other"),
        custom("two", "test ! -e left; echo 2 >other"),
      ];
      await monorepo.commit("main", { ".tickborg.json": JSON.stringify(list) });
      const args = ["local", "--repo", monorepo.workTree, "--no-sandbox", "--keep", "one", "two"];
      const { code, out } = await tickborg(args, { env: { TMPDIR: folder } });
      assert.equal(code, 0, out);
      const trees = [...out.matchAll(/: left in (\S+)$/gm)].map(([, tree]) => tree!);
      assert.equal(await Deno.readTextFile(join(trees[0]!, "left")), "1\n");
      assert.equal(await Deno.readTextFile(join(trees[1]!, "other")), "2\n");
    })
  ));
