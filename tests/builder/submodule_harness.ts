/** What the tests of submodules need. */
import assert from "node:assert/strict";
import { createMonorepo, type Monorepo } from "../../testing/monorepo.ts";
import { type BuilderHarness } from "./builder_harness.ts";

/** A project that needs its submodule. */
export const PROJECT = {
  name: "it",
  path: ".",
  build_system: { Custom: { command: "cat vendor/other/file" } },
};

/** Commits a submodule on a branch and opens a pull request of it. */
export async function pullWithSubmodule(
  harness: BuilderHarness,
  url: string,
  sha: string,
  more = "",
) {
  const { monorepo } = harness;
  const gitmodules = `[submodule "other"]\n\tpath = vendor/other\n\turl = ${url}\n${more}`;
  const job = await harness.pullRequest({ ".gitmodules": gitmodules });
  const run = async (...args: string[]) => {
    const { success, stdout, stderr } = await new Deno.Command("git", {
      args: ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", ...args],
      cwd: monorepo.workTree,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trim();
  };
  await run("update-index", "--add", "--cacheinfo", `160000,${sha},vendor/other`);
  await run("commit", "-q", "-m", "Add a submodule");
  await run("push", "-q", "origin", "HEAD");
  const head = await run("rev-parse", "HEAD");
  await run("rm", "-q", "--cached", "vendor/other");
  await run("reset", "-q", "--hard");
  await monorepo.setPullHead(job.pr.number, head);
  return { ...job, pr: { ...job.pr, head_sha: head } };
}

/** Lends another repository and its newest commit. */
export async function withOther(
  work: (other: Monorepo, sha: string) => Promise<void>,
): Promise<void> {
  const other = await createMonorepo({ files: { file: "from the submodule\n" }, owner: "other" });
  try {
    await work(other, await other.git("rev-parse", "main"));
  } finally {
    await other.close();
  }
}
