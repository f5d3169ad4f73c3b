/** What a person sees while `tickborg local` works. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { trackCheckout } from "../../commands/local/checkout_progress.ts";
import { openScreen } from "../../commands/local/screen.ts";
import { GitRepository } from "../../lib/git/repository.ts";
import { until } from "../../testing/waiting.ts";
import { gitIn, outputOf } from "./local.ts";
import { inFolder } from "../support/in_folder.ts";

/** Streams that note what is written to them, in short writes. */
function streams({ terminal = false, broken = false } = {}) {
  const told = { out: "", err: "" };
  const writer = (name: keyof typeof told) => ({
    writeSync(bytes: Uint8Array) {
      if (broken) throw new Deno.errors.BrokenPipe("gone");
      const part = bytes.subarray(0, 4);
      told[name] += new TextDecoder().decode(part);
      return part.length;
    },
    isTerminal: () => terminal,
  });
  return {
    told,
    out: writer("out"),
    err: writer("err"),
    json: false,
    columns: () => 30,
    now: () => 0,
  };
}

Deno.test("progress goes to standard error of a terminal, and is taken away before a line", () => {
  const { told, ...parts } = streams({ terminal: true });
  const screen = openScreen({ ...parts, closed: () => assert.fail() });
  screen.progress("checking out", () => ": 4 of 5 files");
  assert.equal(told.err, "\x1b[7m checking out: 4 of 5 files, \x1b[0m");
  told.err = "";
  screen.lines(["one", "two"]);
  assert.ok(told.err.startsWith("\r\x1b[K\x1b[7m checking"), told.err);
  screen.close();
  assert.ok(told.err.endsWith("\r\x1b[K"));
  assert.equal(told.out, "one\ntwo\n");
});

Deno.test("a log that is no terminal has no progress in it, and --json nothing but the report", () => {
  const { told, ...parts } = streams();
  const screen = openScreen({ ...parts, json: true, closed: () => assert.fail() });
  screen.progress("checking out");
  screen.lines(["one"]);
  screen.report("{}\n");
  screen.close();
  assert.deepEqual(told, { out: "{}\n", err: "one\n" });
});

Deno.test("a log that is no terminal is told what goes on after a long silence, and how far it is", async () => {
  const { told, ...parts } = streams();
  let now = 0;
  const screen = openScreen({ ...parts, now: () => now, closed: () => assert.fail() });
  screen.progress("checking out", () => ": 4 of 5 files");
  now = 10_001;
  await until("a line", () => told.err !== "");
  screen.close();
  assert.deepEqual(told, { out: "", err: "checking out: 4 of 5 files, 10 s\n" });
});

Deno.test("what is no longer read is told once, and written no more", () => {
  const { told, ...parts } = streams({ broken: true });
  let closed = 0;
  const screen = openScreen({ ...parts, closed: () => void closed++ });
  screen.progress("checking out");
  screen.lines(["one"]);
  screen.report("{}");
  screen.close();
  assert.deepEqual([closed, told.out], [1, ""]);
});

Deno.test("a checkout that goes on is told by its files", () =>
  inFolder(async (folder) => {
    await gitIn(folder, "init", "-q");
    await Deno.mkdir(join(folder, "tree/b"), { recursive: true });
    for (const name of ["a", "b/c", "b/d", "e"]) {
      await Deno.writeTextFile(join(folder, "tree", name), "");
    }
    await gitIn(folder, "add", "-A");
    const tree = await outputOf(folder, "write-tree", "--prefix=tree/");
    for (const name of ["b/d", "e"]) {
      await Deno.remove(join(folder, "tree", name));
    }
    const repository = new GitRepository(join(folder, ".git"));
    using watch = trackCheckout({ repository, tree, folder: join(folder, "tree") });
    await until("two files", () => watch.howFar() === ": 2 of 4 files");
    await Deno.writeTextFile(join(folder, "tree/b/d"), "");
    await until("three files", () => watch.howFar() === ": 3 of 4 files");
  }));
