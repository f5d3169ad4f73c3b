/** The person's own git, as `tickborg local` runs it to reach a clone's remote. */
import assert from "node:assert/strict";
import { ownGit } from "../../commands/local/own_git.ts";
import { until, within } from "../../testing/waiting.ts";
import { gitIn } from "./local.ts";
import { inFolder } from "../support/in_folder.ts";

const { signal } = new AbortController();

/** Makes git a program that runs a script. */
function script(text: string): string[] {
  return ["-c", `alias.script=!${text}`, "script"];
}

Deno.test({
  name: "git that takes too long is ended with what it started, and so is git that is interrupted",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (cwd) => {
      await gitIn(cwd, "init", "-q");
      // What git started holds its pipes, so that there is no answer before that has ended too.
      const sleep = script("touch begun; sleep 600 & wait");
      const begun = () => Deno.stat(`${cwd}/begun`).then(() => true, () => false);
      for (let timeoutMs = 500; !await begun(); timeoutMs *= 3) {
        const late = await within("git", ownGit(sleep, { cwd, signal, timeoutMs }));
        assert.equal(late.ok, false);
      }
      await Deno.remove(`${cwd}/begun`);
      const controller = new AbortController();
      const asked = ownGit(sleep, { cwd, signal: controller.signal, timeoutMs: 600_000 });
      await until("git", begun);
      controller.abort(new Error("interrupted"));
      await within("git", assert.rejects(asked, /interrupted/));
    }),
});

Deno.test("git's words hold no password and cannot write to the terminal", () =>
  inFolder(async (cwd) => {
    await gitIn(cwd, "init", "-q");
    const fatal = "fatal: no https://ada:secret@example.com/\\033[2J\\n";
    const told = script(`echo first >&2; printf '${fatal}' >&2; echo last >&2; false`);
    const { ok, said } = await ownGit(told, { cwd, signal });
    assert.deepEqual([ok, said], [false, "no https://example.com/"]);
  }));

Deno.test("git does not look at the repository that a hook was run for", () =>
  inFolder(async (cwd) => {
    await gitIn(cwd, "init", "-q");
    Deno.env.set("GIT_DIR", "/nonexistent");
    try {
      const { ok } = await ownGit(["rev-parse", "--git-dir"], { cwd, signal });
      assert.equal(ok, true);
    } finally {
      Deno.env.delete("GIT_DIR");
    }
  }));
