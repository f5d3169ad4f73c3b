import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { gitEnvironment } from "../../lib/git/environment.ts";
import { git, GitFailure, GitOutputTooLarge } from "../../lib/git/git.ts";
import { within } from "../../testing/waiting.ts";
import { TestFolder, TestRepository } from "../support/git_repository.ts";

const sleeps = ["-c", "alias.nap=!sleep 3000", "nap"];

Deno.test("git that takes too long is ended with whatever it started", async () => {
  const ended = assert.rejects(git(sleeps, { timeoutMs: 200 }), TransientFault);
  await within("the end of git", ended);
});

Deno.test("git ends with its signal, for the signal's reason", async () => {
  const controller = new AbortController();
  const reason = new Error("The role stops");
  const running = git(sleeps, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(running, reason);
  await assert.rejects(git(["version"], { signal: controller.signal }), reason);
});

Deno.test("an answer that is too large ends git", async () => {
  const endless = ["-c", "alias.endless=!yes", "endless"];
  await assert.rejects(git(endless, { maxBytes: 10_000 }), GitOutputTooLarge);
});

Deno.test("a role that may run git and nothing else can end it all the same", async () => {
  await using folder = await TestFolder.make();
  const lingers = ["-c", `alias.nap=!echo $$ > ${folder.path}/pid; exec sleep 300`, "nap"];
  const script = `
    import { git } from ${JSON.stringify(new URL("../../lib/git/git.ts", import.meta.url).href)};
    const begun = () => Deno.stat(${JSON.stringify(`${folder.path}/pid`)}).catch(() => undefined);
    let error;
    for (let timeoutMs = 300; !(await begun())?.size; timeoutMs *= 3) {
      error = await git(${JSON.stringify(lingers)}, { timeoutMs }).catch((error) => error);
    }
    console.log(error.name);
  `;
  await Deno.writeTextFile(`${folder.path}/script.ts`, script);
  const root = new URL("../..", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--no-check", "--config", `${root}/deno.json`],
      ...["--allow-read", "--allow-run=git", "--allow-env=PATH", `${folder.path}/script.ts`],
    ],
    cwd: root,
  }).output();
  assert.equal(
    new TextDecoder().decode(stdout),
    "TransientFault\n",
    new TextDecoder().decode(stderr),
  );
});

Deno.test("git sees nothing of this process's environment but the way to programs and servers", () => {
  Deno.env.set("TICKBORG_TEST_SECRET", "secret");
  try {
    const environment: Record<string, string> = gitEnvironment();
    assert.equal(environment.TICKBORG_TEST_SECRET, undefined);
    assert.equal(environment.HOME, "");
    assert.equal(environment.GIT_TERMINAL_PROMPT, "0");
  } finally {
    Deno.env.delete("TICKBORG_TEST_SECRET");
  }
});

Deno.test("a failure says what was run and what git said, without passwords", async () => {
  const address = "http://user:secret@127.0.0.1:9/x.git";
  await assert.rejects(git(["ls-remote", "--end-of-options", address]), (error: Error) => {
    assert.ok(error instanceof GitFailure);
    assert.match(error.message, /^Git failed: git ls-remote: /);
    assert.equal(`${error.message}${error.stderr}`.includes("secret"), false);
    return true;
  });
});

Deno.test("what a repository holds cannot make git run a program", async () => {
  await using repository = await TestRepository.make({
    ".gitattributes": "* filter=evil diff=evil merge=evil\n",
    ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch pwned"\n',
    "a.txt": "a\n",
  });
  const marker = `${repository.path}/pwned`;
  const hook = `${repository.path}/.git/hooks`;
  await Deno.mkdir(hook, { recursive: true });
  for (const name of ["post-commit", "post-checkout", "pre-commit", "reference-transaction"]) {
    await Deno.writeTextFile(`${hook}/${name}`, `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
  }
  await Deno.writeTextFile(
    `${repository.path}/.git/config`,
    `[core]\n\tfsmonitor = touch ${marker}\n\thooksPath = .git/hooks\n\tpager = touch ${marker}\n` +
      `[diff]\n\texternal = touch ${marker}\n[credential]\n\thelper = !touch ${marker}\n`,
    { append: true },
  );
  await repository.commit("Change", { "a.txt": "b\n" });
  await repository.git("status");
  await repository.git("log", "-p", "--no-ext-diff");
  await assert.rejects(repository.git("ls-remote", 'ext::sh -c "touch pwned"'), GitFailure);
  await assert.rejects(Deno.stat(marker), Deno.errors.NotFound);
  await assert.rejects(Deno.stat("pwned"), Deno.errors.NotFound);
});

Deno.test("files of this machine are not fetched unless that was allowed", async () => {
  await using repository = await TestRepository.make();
  const args = ["ls-remote", "--end-of-options", repository.path];
  await assert.rejects(git(args), /transport 'file' not allowed/);
  assert.equal((await git(args, { allowLocal: true })).code, 0);
});
