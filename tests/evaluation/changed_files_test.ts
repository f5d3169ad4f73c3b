import assert from "node:assert/strict";
import { gatherBranchFacts } from "../../lib/evaluation/branch_facts.ts";
import { changedFiles, MAX_CHANGED_FILES } from "../../lib/evaluation/changed_files.ts";
import { GitRepository } from "../../lib/git/repository.ts";
import { TestRepository } from "../support/git_repository.ts";
import { commitWide } from "../support/tree_bomb.ts";

function open({ path }: TestRepository): GitRepository {
  return new GitRepository(`${path}/.git`);
}

Deno.test("a few objects that stand for a million changed files are too many to tell", async () => {
  await using origin = await TestRepository.make({ "a/b.txt": "a\n" });
  const repository = open(origin);
  const base = await origin.head();
  const million = await commitWide(repository.gitDir, base, { folders: 1_000, files: 1_000 });
  const facts = await gatherBranchFacts(repository, { base, head: million, fallback: [] });
  assert.equal(facts.files?.length, undefined);
});

Deno.test("as many files as may change are told one by one", async () => {
  await using origin = await TestRepository.make({ "a/b.txt": "a\n" });
  const repository = open(origin);
  const base = await origin.head();
  const most = { folders: 200, files: MAX_CHANGED_FILES / 200 };
  const head = await commitWide(repository.gitDir, base, most);
  // The file that is gone is one too many.
  assert.equal((await changedFiles(repository, base, head))?.length, undefined);
  const fewer = await commitWide(repository.gitDir, base, { ...most, folders: 199 });
  assert.equal((await changedFiles(repository, base, fewer))?.length, 199 * most.files + 1);
});

Deno.test("a submodule whose entry in .gitmodules changes is touched as one whose commit does", async () => {
  const entry = (path: string, url: string, more = "") =>
    `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n${more}`;
  const [lib, other] = [entry("third/lib", "../lib.git"), entry("other", "../other.git")];
  const stories: [what: string, before: string, after: string | null, touched: string[]][] = [
    ["another address", lib + other, entry("third/lib/", "../fork.git") + other, ["third/lib/"]],
    ["left out", lib + other, lib + entry("other", "../other.git", "\tupdate = none\n"), [
      "other/",
    ]],
    ["another path", lib, entry("third/moved", "../lib.git"), ["third/lib/", "third/moved/"]],
    ["taken out", lib + other, null, ["third/lib/", "other/"]],
    ["unreadable", lib, "[submodule", ["third/lib/"]],
    ["another order and a branch", lib + other, `${other}${lib}\tbranch = x\n`, []],
  ];
  for (const [what, before, after, touched] of stories) {
    await using origin = await TestRepository.make({ ".gitmodules": before });
    const base = await origin.head();
    const head = await origin.commit(what, { ".gitmodules": after });
    const files = await changedFiles(open(origin), base, head);
    assert.deepEqual(files, [".gitmodules", ...touched], what);
  }
});
