/** Submodules: fetched over http as the pull request says, never from this machine's disk. */
import assert from "node:assert/strict";
import { TransientFault } from "../../lib/errors.ts";
import { createMonorepo, type Monorepo } from "../support/monorepo.ts";
import { commitBomb } from "../support/tree_bomb.ts";
import { type Bench, openBench } from "./bench.ts";

const PROJECT = {
  name: "it",
  path: ".",
  build_system: { Custom: { command: "cat vendor/other/file" } },
};

/** Commits a submodule on a branch and opens a pull request of it. */
async function pullWithSubmodule(bench: Bench, url: string, sha: string) {
  const { monorepo } = bench;
  const gitmodules = `[submodule "other"]\n\tpath = vendor/other\n\turl = ${url}\n`;
  const job = await bench.pullRequest({ ".gitmodules": gitmodules });
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

async function withOther(work: (other: Monorepo, sha: string) => Promise<void>): Promise<void> {
  const other = await createMonorepo({ files: { file: "from the submodule\n" }, owner: "other" });
  try {
    await work(other, await other.git("rev-parse", "main"));
  } finally {
    await other.close();
  }
}

Deno.test("a submodule is fetched at the commit that is linked", async () => {
  await withOther(async (other, sha) => {
    await using bench = await openBench({ projects: [PROJECT] });
    const { result, lines } = await bench.build(
      await pullWithSubmodule(bench, other.cloneUrl, sha),
    );
    assert.equal(result.status, "Success", lines.join("\n"));
    assert.ok(lines.includes(`Submodule vendor/other: ${sha} of ${other.cloneUrl}`));
    assert.equal(lines.at(-1), "from the submodule");
  });
});

Deno.test("a submodule on this machine's disk, or one that is not there, is red and told", async () => {
  await withOther(async (other, sha) => {
    await using bench = await openBench({ projects: [PROJECT] });
    for (const url of [`file://${other.upstream}`, other.upstream]) {
      const { result } = await bench.build(await pullWithSubmodule(bench, url, sha));
      assert.equal(result.status, "Failure");
      assert.equal(result.step, "checkout");
      assert.match(
        result.output[0]!,
        /Cannot fetch submodule vendor\/other: .*path on this machine/,
      );
    }
    const missing = await pullWithSubmodule(bench, other.cloneUrl, "d".repeat(40));
    await assert.rejects(() => bench.build(missing), TransientFault);
    const { result } = await bench.build(missing, { attempt: 4 });
    assert.equal(result.status, "Failure");
    assert.match(result.output[0]!, /Cannot find commit/);
  });
});

Deno.test("where builds have no network, a submodule of another host is not fetched either", async () => {
  await withOther(async (other, sha) => {
    await using bench = await openBench({ projects: [PROJECT], builder: { network: false } });
    const { result } = await bench.build(await pullWithSubmodule(bench, other.cloneUrl, sha));
    assert.equal(result.status, "Failure");
    assert.match(result.output[0]!, /it is on another host/);
  });
});

Deno.test("a .gitmodules that lists more than anybody has is red before git is asked of each", async () => {
  await using bench = await openBench({ projects: [PROJECT] });
  const entry = (at: number) =>
    `[submodule "${at}"]\n\tpath = p${at}\n\turl = http://x.invalid/y\n`;
  for (const count of [1_001, 50_000]) {
    const text = Array.from({ length: count }, (_, at) => entry(at)).join("");
    const { result } = await bench.build(await bench.pullRequest({ ".gitmodules": text }));
    assert.equal(result.status, "Failure");
    assert.match(result.output[0]!, /lists more than 1000/);
  }
});

Deno.test("a submodule of millions of files is red before it is unfolded", async () => {
  await withOther(async (other, sha) => {
    const bomb = await commitBomb(other.upstream, sha);
    await other.git("update-ref", "refs/heads/bomb", bomb);
    await using bench = await openBench({ projects: [PROJECT] });
    const { result } = await bench.build(await pullWithSubmodule(bench, other.cloneUrl, bomb));
    assert.equal(result.status, "Failure");
    assert.match(result.output[0]!, /vendor\/other .*too many files/);
  });
});
