/** The person's own git, as `tickborg local` runs it to reach a clone's remote. */
import assert from "node:assert/strict";
import { ownGit } from "../../commands/local/own_git.ts";
import { until } from "../support/waiting.ts";
import { gitIn } from "./local.ts";
import { inFolder } from "./run.ts";

const { signal } = new AbortController();

/** Makes git a program that runs a script. */
function script(text: string): string[] {
  return ["-c", `alias.script=!${text}`, "script"];
}

Deno.test(
  "git that takes too long is ended with what it started, and so is git that is interrupted",
  {
    ignore: Deno.build.os === "windows",
  },
  () =>
    inFolder(async (cwd) => {
      await gitIn(cwd, "init", "-q");
      const sleep = script("sleep 600 & echo $! >pid; wait");
      const gone = async () => {
        const pid = Number(await Deno.readTextFile(`${cwd}/pid`));
        await until("the end of what git started", () => {
          try {
            return void Deno.kill(pid, "SIGCONT") ?? false;
          } catch {
            return true;
          }
        });
      };
      const late = await ownGit(sleep, { cwd, signal, timeoutMs: 2_000 });
      assert.equal(late.ok, false);
      await gone();
      await Deno.remove(`${cwd}/pid`);
      const controller = new AbortController();
      const asked = ownGit(sleep, { cwd, signal: controller.signal, timeoutMs: 600_000 });
      await until("git", () => Deno.stat(`${cwd}/pid`).then(({ size }) => size > 0, () => false));
      controller.abort(new Error("interrupted"));
      await assert.rejects(asked, /interrupted/);
      await gone();
    }),
);

Deno.test("git does not look at the repository that a hook was run for, and its words hold no password", () =>
  inFolder(async (cwd) => {
    await gitIn(cwd, "init", "-q");
    const before = Deno.env.get("GIT_DIR");
    Deno.env.set("GIT_DIR", "/nonexistent");
    try {
      const { ok } = await ownGit(["rev-parse", "--git-dir"], { cwd, signal });
      assert.equal(ok, true);
    } finally {
      if (before === undefined) Deno.env.delete("GIT_DIR");
      else Deno.env.set("GIT_DIR", before);
    }
    const told =
      "echo first >&2; echo 'fatal: no https://ada:secret@example.com/\\033[2J' >&2; echo last >&2; exit 1";
    const { ok, said } = await ownGit(
      script(told.replace("echo 'fatal", "printf 'fatal").replace("[2J'", "[2J\\n'")),
      {
        cwd,
        signal,
      },
    );
    assert.deepEqual([ok, said], [false, "no https://example.com/"]);
  }));
