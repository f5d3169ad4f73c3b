/** `tickborg local` in the clones that people have. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Monorepo } from "../../testing/monorepo.ts";
import { gitIn, local, outputOf, withMonorepo } from "./local.ts";
import { inFolder } from "../support/in_folder.ts";

/** Runs a test with a monorepo whose branch `change` touches `docs`, and a folder for clones of it. */
function withClones(test: (monorepo: Monorepo, folder: string) => Promise<void>): Promise<void> {
  return withMonorepo((monorepo) =>
    inFolder(async (folder) => {
      await monorepo.commit("main", { "lib/new": "1\n" });
      await monorepo.commit("change", { "docs/index": "2\n" }, { from: "main~1" });
      await monorepo.commit("main", { "lib/new": "2\n" });
      await monorepo.git("config", "uploadpack.allowFilter", "true");
      await monorepo.git("config", "uploadpack.allowAnySHA1InWant", "true");
      await test(monorepo, folder);
    })
  );
}

/** Clones the monorepo into a new folder. */
async function clone(monorepo: Monorepo, path: string, ...options: string[]): Promise<string> {
  await gitIn(join(path, ".."), "clone", "-q", ...options, `file://${monorepo.upstream}`, path);
  return path;
}

const SHOW = ["--dry-run", "--json"];

/** What a dry run says of a branch: which projects it touches. */
async function touched(...args: string[]): Promise<string[]> {
  const { code, out, err } = await local(...args, ...SHOW);
  assert.equal(code, 0, err);
  return JSON.parse(out).builds.map(({ project }: { project: string }) => project);
}

/** Pastes the command that ends a message. */
async function paste(message: string, after: string): Promise<void> {
  const command = message.split(after)[1]!.split(/; it is|; see|\n/)[0]!;
  const { success } = await new Deno.Command("sh", { args: ["-c", command] }).output();
  assert.ok(success, command);
}

Deno.test("a shallow clone is told from one without anything in common, with what to type", () =>
  withClones(async (monorepo, folder) => {
    const shallow = ["--depth", "1", "--no-single-branch"];
    const path = await clone(monorepo, join(folder, "it's $HOME"), ...shallow);
    const args = ["--repo", path, "--head", "origin/change"];
    for (const more of [[], ["--json"]]) {
      const { code, out, err } = await local(...args, "--dry-run", ...more);
      assert.deepEqual([code, out], [2, ""]);
      assert.match(
        err,
        /^Cannot tell what origin\/change changes: this clone is shallow, and its history ends before origin\/change and origin\/main meet; fetch the rest with: .*git fetch --unshallow\n$/,
      );
      if (more.length > 0) await paste(err, "with: ");
    }
    assert.deepEqual(await touched(...args), ["docs"]);
  }));

Deno.test("a shallow clone whose history reaches far enough is taken, and not one where it is cut on one side", () =>
  withClones(async (monorepo, folder) => {
    await monorepo.commit("far", { "docs/index": "3\n" }, { from: "main~2" });
    await monorepo.commit("far", { "docs/index": "4\n" });
    const path = await clone(monorepo, join(folder, "a"), "--depth", "3", "--no-single-branch");
    assert.deepEqual(await touched("--repo", path, "--head", "origin/change"), ["docs"]);
    await gitIn(path, "fetch", "-q", "--depth", "2", "origin", "far");
    const cut = await local("--repo", path, "--head", "FETCH_HEAD", "--dry-run");
    assert.equal(cut.code, 2, cut.out);
    assert.match(cut.err, /this clone is shallow/);
    await gitIn(path, "checkout", "-q", "--orphan", "other");
    await gitIn(path, "commit", "-q", "-m", "Other");
    const other = await local("--repo", path);
    assert.equal(other.code, 1, other.err);
    assert.match(other.out, /No common history with origin\/main: rebase/);
  }));

for (const filter of ["blob:none", "tree:0", "blob:limit=1"]) {
  Deno.test(`a partial clone (${filter}) fetches what it lacks, and no more than once`, () =>
    withClones(async (monorepo, folder) => {
      const path = await clone(monorepo, join(folder, "a"), `--filter=${filter}`, "--no-checkout");
      const args = ["--repo", path, "--head", "origin/change", "--no-sandbox"];
      await Deno.rename(monorepo.upstream, `${monorepo.upstream}.away`);
      const without = await local(...args, "--base", "origin/main");
      assert.equal(without.code, 2, without.out);
      assert.match(
        without.err,
        /^Cannot fetch \d+ objects that this partial clone lacks from origin: .*not appear to be a git repository; try/,
      );
      await Deno.rename(`${monorepo.upstream}.away`, monorepo.upstream);
      const built = await local(...args, "app");
      assert.match(built.out, /^app is built$/m, built.err);
      await Deno.rename(monorepo.upstream, `${monorepo.upstream}.away`);
      const again = await local(...args, "app");
      assert.match(again.out, /^app is built$/m, again.err);
    }));
}

Deno.test("linked work trees, bare repositories, submodules, borrowed objects and odd paths are clones too", () =>
  withClones(async (monorepo, folder) => {
    const path = await clone(monorepo, join(folder, 'a "b":c;d $(e)\\'));
    await gitIn(
      path,
      "worktree",
      "add",
      "-q",
      "-b",
      'odd"$(x)',
      join(folder, "linked"),
      "origin/change",
    );
    await clone(monorepo, join(folder, "bare"), "--mirror");
    await gitIn(folder, "clone", "-q", "--shared", path, "borrowed");
    await gitIn(folder, "init", "-q", "super");
    const add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    await gitIn(join(folder, "super"), ...add, `file://${monorepo.upstream}`, "sub dir");
    assert.deepEqual(await touched("--repo", path, "--head", 'odd"$(x)'), ["docs"]);
    assert.deepEqual(await touched("--repo", join(folder, "linked")), ["docs"]);
    assert.deepEqual(await touched("--repo", join(folder, "linked", "docs")), ["docs"]);
    const bare = ["--repo", join(folder, "bare"), "--base", "main", "--head", "change"];
    assert.deepEqual(await touched(...bare), ["docs"]);
    const borrowed = ["--repo", join(folder, "borrowed"), "--base", "main"];
    assert.deepEqual(await touched(...borrowed, "--head", 'origin/odd"$(x)'), ["docs"]);
    const submodule = join(folder, "super", "sub dir");
    assert.deepEqual(await touched("--repo", submodule, "--head", "origin/change"), ["docs"]);
  }));

Deno.test("a base is a branch, a remote branch, a tag, a hash or a whole ref; a branch goes before a tag", () =>
  withClones(async (monorepo, folder) => {
    const path = await clone(monorepo, join(folder, "a"));
    await gitIn(path, "tag", "-a", "-m", "One", "v1", "origin/main");
    await gitIn(path, "branch", "old", "v1");
    const sha = await outputOf(path, "rev-parse", "v1^{commit}");
    for (
      const base of [
        "old",
        "main",
        "origin/main",
        "origin",
        "v1",
        "refs/tags/v1",
        sha,
        sha.slice(0, 9),
      ]
    ) {
      const args = ["--repo", path, "--base", base, "--head", "origin/change"];
      assert.deepEqual(await touched(...args), ["docs"], base);
    }
    await gitIn(path, "checkout", "-q", "--detach", "origin/change");
    assert.deepEqual(await touched("--repo", path), ["docs"]);
    await gitIn(path, "tag", "twice", "origin/main");
    await gitIn(path, "branch", "twice", "origin/change");
    const { out } = await local("--repo", path, "--head", "twice", "--dry-run");
    assert.match(out, /^Note: twice is a branch and a tag: using the branch/m);
    assert.match(out, /^docs: its files change/m);
  }));

Deno.test("without --base it is the default branch of upstream, else of origin, as they tell it", () =>
  withClones(async (monorepo, folder) => {
    await monorepo.git("branch", "trunk", "main");
    await monorepo.git("symbolic-ref", "HEAD", "refs/heads/trunk");
    const path = await clone(monorepo, join(folder, "a"), "-b", "change");
    const merging = async (...args: string[]) => {
      const { out, err } = await local("--repo", path, "--dry-run", ...args);
      return `${/ into (\S+) /.exec(out)?.[1]}${err}`;
    };
    assert.equal(await merging(), "origin/trunk");
    await gitIn(path, "remote", "set-head", "origin", "--delete");
    assert.equal(await merging(), "origin/trunk");
    await gitIn(path, "update-ref", "-d", "refs/remotes/origin/trunk");
    const lacks = await merging();
    assert.match(
      lacks,
      /the default branch of origin, trunk, is not in this clone; fetch it with: /,
    );
    await paste(lacks, "with: ");
    assert.equal(await merging(), "origin/trunk");
    await gitIn(path, "remote", "set-url", "origin", "git@localhost.invalid:o/r.git");
    const { out } = await local("--repo", path, "--dry-run");
    assert.match(
      out,
      /^Note: origin does not name its default branch \(.+\): using origin\/main/m,
    );
    await gitIn(path, "remote", "add", "upstream", "git@localhost.invalid:up/r.git");
    const both = (await local("--repo", path, "--dry-run")).out;
    assert.match(
      both,
      /^Note: upstream does not name .+, origin does not name .+: using origin\/main/m,
    );
    await gitIn(path, "remote", "remove", "upstream");
    await gitIn(path, "remote", "add", "upstream", `file://${monorepo.upstream}`);
    await gitIn(path, "fetch", "-q", "upstream");
    assert.equal(await merging(), "upstream/trunk");
    assert.match(
      (await local("--repo", path, "--head", "trunk", "--dry-run")).err,
      /upstream\/trunk/,
    );
  }));

Deno.test("a repository without a commit, without a remote or without a work tree is told what it lacks", () =>
  inFolder(async (folder) => {
    const path = join(folder, "new");
    await gitIn(folder, "init", "-q", "-b", "trunk", path);
    const empty = await local("--repo", path);
    assert.deepEqual([empty.code, empty.out], [2, ""]);
    assert.match(empty.err, /^Cannot build .*new: it has no commit yet; commit something first\n$/);
    await gitIn(path, "commit", "-q", "--allow-empty", "-m", "One");
    const alone = await local("--repo", path);
    assert.equal(alone.code, 2);
    assert.match(
      alone.err,
      /^--base: this clone has no remote, and there is no branch main or master; name/,
    );
    await gitIn(path, "branch", "main");
    const main = await local("--repo", path);
    assert.match(
      main.out,
      /^Note: this clone has no remote: using main; choose another with --base$/m,
    );
    assert.match(main.out, /^Note: HEAD is main itself and changes nothing/m);
    await gitIn(folder, "clone", "-q", "--bare", path, "bare");
    const bare = await local("--repo", join(folder, "bare"), "--base", "main", "--uncommitted");
    assert.equal(bare.code, 2);
    assert.match(bare.err, /^--uncommitted: .* has no work tree; see --help\n$/);
  }));

Deno.test("a repository that cannot be read is told in one line", () =>
  inFolder(async (folder) => {
    const projects = [{ name: "a", path: ".", build_system: { Custom: { command: "true" } } }];
    await Deno.writeTextFile(join(folder, ".tickborg.json"), JSON.stringify({ projects }));
    await gitIn(folder, "init", "-q", "-b", "main");
    await gitIn(folder, "add", "-A");
    await gitIn(folder, "commit", "-q", "-m", "One");
    await gitIn(folder, "checkout", "-q", "-b", "change");
    await Deno.writeTextFile(join(folder, "file"), "1\n");
    await gitIn(folder, "add", "-A");
    await gitIn(folder, "commit", "-q", "-m", "Two");
    for (const object of ["HEAD:file", "main^{tree}"]) {
      const id = await outputOf(folder, "rev-parse", object);
      await Deno.remove(join(folder, ".git/objects", id.slice(0, 2), id.slice(2)));
      const { code, err } = await local("--repo", folder, "--base", "main");
      assert.equal(code, 2, err);
      assert.match(err, /^Cannot read the repository: [^\n]+; run git fsck\n$/);
    }
  }));
