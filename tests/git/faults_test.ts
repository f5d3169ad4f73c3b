/** What git's servers say when something is not there, or not to be seen by us. */
import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { branchRef, openCache } from "../../lib/git/cache.ts";
import { fetchFault, MissingFromGit } from "../../lib/git/faults.ts";
import { GitFailure } from "../../lib/git/git.ts";
import { TestFolder } from "../support/git_repository.ts";

const URL_ASKED = "https://git.example.org/acme/widgets.git";
const SHA = "d".repeat(40);

/** Of a message of git's: what is missing, and which. */
const SAID: [stderr: string, what: MissingFromGit["what"], which: string][] = [
  ["fatal: couldn't find remote ref refs/pull/7/head", "ref", "refs/pull/7/head"],
  [`fatal: remote error: upload-pack: not our ref ${SHA}`, "commit", SHA],
  [`error: Server does not allow request for unadvertised object ${SHA}`, "commit", SHA],
  ["remote: Repository not found.\nfatal: repository 'x' not found", "repository", URL_ASKED],
  [
    "fatal: could not read Username for 'https://git.example.org': terminal prompts disabled",
    "repository",
    URL_ASKED,
  ],
  [
    "fatal: Authentication failed for 'https://git.example.org/acme/widgets.git/'",
    "repository",
    URL_ASKED,
  ],
  [
    "fatal: unable to access 'https://x/': The requested URL returned error: 301",
    "repository",
    URL_ASKED,
  ],
];
for (const [stderr, what, which] of SAID) {
  Deno.test(`"${stderr.slice(0, 60)}" says that a ${what} is missing`, () => {
    const fault = fetchFault(new GitFailure("Git failed", { code: 128, stderr }), URL_ASKED);
    assert.ok(fault instanceof MissingFromGit, `${fault}`);
    assert.deepEqual([fault.what, fault.which], [what, which]);
  });
}

const ANSWERS: [status: number, headers: Record<string, string>, missing: boolean][] = [
  [401, { "www-authenticate": 'Basic realm="GitHub"' }, true],
  [404, {}, true],
  [403, {}, false],
  [500, {}, false],
  [503, {}, false],
];
for (const [status, headers, missing] of ANSWERS) {
  Deno.test(`a git server that answers ${status} is ${missing ? "asked for what is missing" : "unwell"}`, async () => {
    await using root = await TestFolder.make();
    const answer = () => new Response("no\n", { status, headers });
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
    const clone_url = `http://127.0.0.1:${server.addr.port}/acme/widgets.git`;
    const cache = await openCache(root.path, { full_name: "acme/widgets", clone_url });
    await assert.rejects(cache.fetch([branchRef("main")]), (error) => {
      if (!missing) return error instanceof TransientFault;
      return error instanceof MissingFromGit && error.what === "repository";
    });
  });
}

Deno.test("a repository that moved within its host is followed, and one that moved elsewhere is missing", async () => {
  await using root = await TestFolder.make();
  let asked = 0;
  const answer = ({ url }: Request) => {
    asked++;
    const moved = new URL(url);
    if (moved.pathname.startsWith("/new/")) return new Response("no\n", { status: 404 });
    moved.pathname = moved.pathname.replace("/old/", "/new/");
    return Response.redirect(moved, 301);
  };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  const clone_url = `http://127.0.0.1:${server.addr.port}/old/widgets.git`;
  const cache = await openCache(root.path, { full_name: "acme/widgets", clone_url });
  await assert.rejects(cache.fetch([branchRef("main")]), MissingFromGit);
  assert.ok(asked >= 2);
});
