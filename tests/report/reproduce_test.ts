/** The command to reproduce, pasted into a shell: in a clone of a fork, whatever branches are called. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { reproduceCommand } from "../../lib/report/reproduce.ts";
import { createMonorepo, type Monorepo } from "../../testing/monorepo.ts";
import { pr, repo, SHA, subject } from "./samples.ts";

const decoder = new TextDecoder();

/** Runs a script in a folder; resolves to what it printed. */
async function shell(cwd: string, script: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("bash", { args: ["-c", script], cwd })
    .output();
  assert.ok(success, `${script}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** The words that the second line gives to `local`, once the first one has fetched in a fork's clone. */
async function pasted(monorepo: Monorepo, fork: string, branch: string | null): Promise<string[]> {
  const head_sha = await monorepo.git("rev-parse", "refs/pull/7/head");
  const [fetch, run] = reproduceCommand(subject({
    repo: { ...repo, clone_url: monorepo.cloneUrl },
    pr: { target_branch: branch, number: 7, head_sha },
    baseSha: undefined,
  })).split("\n") as [string, string];
  await shell(fork, fetch);
  assert.equal(await shell(fork, `git cat-file -t ${head_sha}`), "commit\n");
  const script = `npx() { printf '%s\\n' "$@"; }; ${run}`;
  return (await shell(fork, script)).trimEnd().split("\n");
}

Deno.test("the command works in the clone of a fork whose origin has neither branch nor pull request", async () => {
  const monorepo = await createMonorepo({ files: { a: "1\n" } });
  try {
    const head = await monorepo.commit("change", { a: "2\n" });
    await monorepo.setPullHead(7, head);
    const fork = join(monorepo.upstream, "../../fork");
    await shell(join(fork, ".."), `git init -q ${fork} && git -C ${fork} remote add origin /none`);
    const hostile = [
      "it's",
      "$(touch${IFS}pwned)",
      "a`id`&b;c",
      'x"y',
      "invisible\u200bspace",
      "ü",
    ];
    for (const branch of ["main", null, ...hostile]) {
      const base = await monorepo.commit("base", { a: "1\n", of: `${branch}\n` }, { force: true });
      if (branch === null) await monorepo.git("symbolic-ref", "HEAD", "refs/heads/base");
      else await monorepo.git("update-ref", `refs/heads/${branch}`, base);
      const words = await pasted(monorepo, fork, branch);
      assert.deepEqual(words.slice(-6), [
        "--base",
        "FETCH_HEAD",
        "--head",
        head,
        "--build",
        "cmark",
      ]);
      assert.equal(await shell(fork, "git rev-parse FETCH_HEAD"), `${base}\n`, `${branch}`);
    }
    assert.deepEqual([...Deno.readDirSync(fork)].map(({ name }) => name), [".git"]);
  } finally {
    await monorepo.close();
  }
});

Deno.test("an address that cannot be shown or fetched from is left out", () => {
  const ask = (clone_url: string) =>
    reproduceCommand(subject({ repo: { ...repo, clone_url } })).split("\n")[0];
  const refs = "refs/heads/main refs/pull/42/head";
  assert.equal(ask("https://ada:secret@github.com/a/b.git"), `git fetch origin ${refs}`);
  assert.equal(ask("--upload-pack=touch /tmp/x"), `git fetch origin ${refs}`);
  assert.equal(
    ask("https://github.com/a/b;id.git"),
    `git fetch 'https://github.com/a/b;id.git' ${refs}`,
  );
  const push = { head_sha: SHA, branch: "main", before_sha: null };
  const pushed = subject({ push, pr: { ...pr, number: 0 } });
  assert.match(
    reproduceCommand(pushed),
    /^git fetch https:\S+ refs\/heads\/main\n.* --base (\w+) --head \1 /,
  );
});
