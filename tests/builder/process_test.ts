/** Commands: their output in bounded memory, their end, and the end of all they started. */
import assert from "node:assert/strict";
import { createGuard, type ProcessGuard } from "../../lib/builder/sandbox/guard.ts";
import { MAX_LINE_LENGTH } from "../../lib/builder/log/lines.ts";
import {
  type CommandEnd,
  type CommandOptions,
  describeEnd,
  runCommand,
} from "../../lib/builder/sandbox/process.ts";
import { TIMEOUT_MS, until } from "../../testing/waiting.ts";

interface Ran {
  readonly end: CommandEnd;
  readonly count: number;
  readonly first: readonly string[];
}

async function sh(
  script: string,
  options: Partial<CommandOptions> = {},
  onLines: () => void = () => {},
): Promise<Ran> {
  const guard = createGuard();
  try {
    const running = runCommand({
      argv: ["sh", "-c", script],
      cwd: "/",
      env: { PATH: Deno.env.get("PATH")! },
      guard,
      timeoutMs: 60_000,
      ...options,
    });
    const first: string[] = [];
    let count = 0;
    let next = await running.next();
    for (; !next.done; next = await running.next()) {
      onLines();
      count += next.value.length;
      first.push(...next.value.slice(0, Math.max(0, 100 - first.length)));
    }
    return { end: next.value, count, first };
  } finally {
    await guard.close();
  }
}

/** Has a script run out of time once it has printed what is looked for, however slow the machine is. */
async function untilTimedOut(
  script: string,
  printed: (lines: readonly string[]) => boolean,
  options: Partial<CommandOptions>,
): Promise<readonly string[]> {
  for (let timeoutMs = 1_000;; timeoutMs *= 3) {
    const { end, first } = await sh(script, { ...options, timeoutMs });
    assert.deepEqual(end, { kind: "timed-out" });
    if (printed(first) || timeoutMs > TIMEOUT_MS) return first;
  }
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => undefined);
  return stat !== undefined && !/\) [ZX] /.test(stat);
}

Deno.test("standard output and error are one, in the order they were written", async () => {
  const { first, end } = await sh("for i in 1 2 3; do echo out $i; echo err $i >&2; done");
  assert.deepEqual(first, ["out 1", "err 1", "out 2", "err 2", "out 3", "err 3"]);
  assert.deepEqual(end, { kind: "exited", code: 0 });
});

Deno.test("lines come while the command runs", async () => {
  const guard = createGuard();
  const file = await Deno.makeTempFile();
  await Deno.remove(file);
  const running = runCommand({
    // It ends only when the test, having seen its line, makes the file.
    argv: ["sh", "-c", `echo waiting; while [ ! -e ${file} ]; do sleep 0.05; done; echo seen`],
    cwd: "/",
    env: { PATH: Deno.env.get("PATH")! },
    guard,
    timeoutMs: 60_000,
  });
  assert.deepEqual((await running.next()).value, ["waiting"]);
  await Deno.writeTextFile(file, "");
  assert.deepEqual((await running.next()).value, ["seen"]);
  assert.deepEqual((await running.next()).value, { kind: "exited", code: 0 });
  await guard.close();
  await Deno.remove(file);
});

Deno.test("ends are told apart", async () => {
  assert.equal(describeEnd((await sh("exit 3")).end), "exited with code 3");
  assert.match(describeEnd((await sh("kill -SEGV $$")).end)!, /was killed \(SIGSEGV\)/);
  assert.match(describeEnd((await sh("kill -KILL $$")).end)!, /perhaps because memory ran out/);
  assert.equal(describeEnd((await sh("true")).end), undefined);
  const missing = await sh("", { argv: ["/nonexistent/program"] });
  assert.deepEqual(missing.end, { kind: "exited", code: 127 });
  assert.equal((await sh("", { cwd: "/nonexistent" })).end.kind, "failed");
});

Deno.test("standard input is empty and nothing of our environment is inherited", async () => {
  Deno.env.set("TICKBORG_TEST_SECRET", "swordfish");
  try {
    const { first } = await sh("cat; env");
    assert.deepEqual(first.filter((line) => line.includes("swordfish")), []);
    assert.deepEqual(first.map((line) => line.split("=")[0]).sort(), [
      "PATH",
      "PWD",
      "TICKBORG_ATTEMPT_MARK",
    ]);
  } finally {
    Deno.env.delete("TICKBORG_TEST_SECRET");
  }
});

Deno.test("a command that runs out of time is ended with all it started, also what left its session", async () => {
  const script = `
    setsid sh -c 'trap "" TERM; echo $$; exec sleep 600' &
    sleep 600 & echo $!
    echo $$; wait`;
  const pidsOf = (lines: readonly string[]) =>
    lines.filter((line) => /^\d+$/.test(line)).map(Number);
  const first = await untilTimedOut(script, (lines) => pidsOf(lines).length === 3, {
    graceMs: 200,
  });
  const pids = pidsOf(first);
  assert.equal(pids.length, 3, first.join("\n"));
  for (const pid of pids) assert.equal(await isRunning(pid), false);
});

Deno.test("SIGTERM comes first, so that a command can tidy up", async () => {
  const script = "trap 'echo tidied; exit 0' TERM; echo up; sleep 600 & wait";
  const first = await untilTimedOut(script, (lines) => lines.includes("up"), {
    graceMs: TIMEOUT_MS,
  });
  assert.ok(first.includes("tidied"), first.join("\n"));
});

Deno.test("daemons that a command leaves behind end with it", async () => {
  const { end, first } = await sh("setsid sleep 600 & echo $!; exit 0");
  assert.deepEqual(end, { kind: "exited", code: 0 });
  const pid = Number(first[0]);
  await until("its end", async () => !await isRunning(pid));
});

Deno.test("an abort ends the command", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const { end, first } = await sh("echo up; sleep 600", { signal }, () => controller.abort());
  assert.deepEqual(first, ["up"], "it had started");
  assert.deepEqual(end, { kind: "aborted" });
});

Deno.test("an abort that comes while the guard is still told of the command ends it too", async () => {
  const controller = new AbortController();
  const guard = createGuard();
  const slow: ProcessGuard = {
    announce: async (mark) => {
      await guard.announce(mark);
      controller.abort();
    },
    started: (mark, pid) => guard.started(mark, pid),
    terminate: (mark, pid) => guard.terminate(mark, pid),
    destroy: (mark, pid) => guard.destroy(mark, pid),
    close: () => guard.close(),
  };
  const { signal } = controller;
  const { end } = await sh("sleep 600", { signal, guard: slow, timeoutMs: TIMEOUT_MS });
  await guard.close();
  assert.deepEqual(end, { kind: "aborted" });
});

Deno.test("a reader that leaves early takes the command with it", async () => {
  const guard = createGuard();
  const running = runCommand({
    argv: ["sh", "-c", "echo $$; sleep 600"],
    cwd: "/",
    env: { PATH: Deno.env.get("PATH")! },
    guard,
    timeoutMs: 600_000,
  });
  const { value } = await running.next();
  await running.return(undefined as never);
  assert.equal(await isRunning(Number((value as string[])[0])), false);
  await guard.close();
});

Deno.test("a single line of 100 MB, a flood of short lines and binary junk stay bounded in memory", async () => {
  const before = Deno.memoryUsage().rss;
  const [line, lines, bytes] = [100_000_000, 300_000_000, 20_000_000];
  const long = await sh(`head -c ${line} /dev/zero | tr '\\0' a`);
  assert.equal(long.count, 1);
  assert.ok(long.first[0]!.length < MAX_LINE_LENGTH + 100);
  assert.match(long.first[0]!, /\[line cut: \d+ characters dropped\]$/);
  const flood = await sh(`yes tickborg | head -c ${lines}`);
  assert.equal(flood.count, Math.ceil(lines / 9));
  const junk = await sh(`head -c ${bytes} /dev/urandom`);
  assert.deepEqual(junk.end, { kind: "exited", code: 0 });
  // deno-lint-ignore no-control-regex
  assert.ok(junk.first.every((line) => !/[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(line)));
  const grown = Deno.memoryUsage().rss - before;
  const read = line + lines + bytes;
  assert.ok(grown < 0.7 * read, `grew by ${grown} bytes when ${read} were read`);
});

Deno.test("a guard whose shell is killed is replaced", async () => {
  const guard = createGuard();
  const run = () =>
    runCommand({
      argv: ["sh", "-c", "echo $PPID; echo hello"],
      cwd: "/",
      env: { PATH: Deno.env.get("PATH")! },
      guard,
      timeoutMs: 60_000,
    });
  for await (const _ of run());
  // The guard's shell is the only child of this process with such a script.
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (stat.includes(`) S ${Deno.pid} `) && line.includes("watched=")) Deno.kill(+name, "SIGKILL");
  }
  const lines: string[] = [];
  for await (const some of run()) lines.push(...some);
  assert.equal(lines[1], "hello");
  await guard.close();
});
