import assert from "node:assert/strict";
import { until } from "../../testing/waiting.ts";
import { Descendants, type Process } from "./descendants.ts";

const ignore = Deno.build.os !== "linux";

/** A process that waits, starts what it is told on its standard input, and ends with it. */
function root(env: Record<string, string> = {}) {
  const child = new Deno.Command("sh", { stdin: "piped", stdout: "null", clearEnv: true, env })
    .spawn();
  const writer = child.stdin.getWriter();
  return {
    pid: child.pid,
    tell: (script: string) => writer.write(new TextEncoder().encode(`${script}\n`)),
    async [Symbol.asyncDispose]() {
      await writer.close();
      await child.status;
    },
  };
}

/** The number of seconds that a process sleeps tells it from any other. */
const seconds = () => 100_000 + Math.floor(Math.random() * 1_000_000_000);

async function kill(name: number): Promise<void> {
  await new Deno.Command("sh", {
    args: [
      "-c",
      `for p in /proc/[0-9]*; do
      [ "$(tr '\\0' ' ' < $p/cmdline 2>/dev/null)" = "sleep ${name} " ] && kill -9 \${p#/proc/}
    done; true`,
    ],
  }).output();
}

const shows = (all: Map<number, string>, name: number) =>
  [...all.values()].includes(`sleep ${name}`);

Deno.test({
  name: "a child, a grandchild and a daemon are a run's own, a neighbour's are not",
  ignore,
}, async () => {
  const names = [seconds(), seconds(), seconds(), seconds()] as const;
  const [child, daemon, parent, foreign] = names;
  await using ours = root();
  await using neighbour = root();
  using descendants = new Descendants(ours.pid, "NO_SUCH_MARK=1");
  try {
    await neighbour.tell(`sleep ${foreign} &`);
    await ours.tell(`(sleep ${child}) &`);
    // A daemon's parent ends, and its session is its own; it is seen before that.
    await ours.tell(`setsid sh -c 'sleep ${daemon} & sleep ${parent}' &`);
    await until("the daemon", () => shows(descendants.running(), daemon));
    await until("the child", () => shows(descendants.running(), child));
    assert.ok(!shows(descendants.running(), foreign));
    await kill(child);
    await kill(parent);
    const daemonsShell = () =>
      [...descendants.running().values()].some((line) => line.startsWith("sh -c"));
    await until("the parent's end", () => !daemonsShell());
    await until("the child's end", () => !shows(descendants.running(), child));
    assert.ok(shows(descendants.running(), daemon), "an orphan stays a run's own");
  } finally {
    for (const name of names) await kill(name);
  }
  await until("all ends", () => !shows(descendants.running(), daemon));
});

Deno.test(
  { name: "what has the run's mark is its own, whoever its parent is", ignore },
  async () => {
    const [marked, unmarked] = [seconds(), seconds()];
    await using neighbour = root({ PATH: "/usr/bin:/bin" });
    using descendants = new Descendants(2 ** 30, "RUN=this-one");
    try {
      await neighbour.tell(`RUN=this-one sleep ${marked} & RUN=another sleep ${unmarked} &`);
      await until("the marked process", () => shows(descendants.running(), marked));
      assert.ok(!shows(descendants.running(), unmarked));
    } finally {
      for (const name of [marked, unmarked]) await kill(name);
    }
  },
);

Deno.test(
  { name: "a neighbour's session may have the number of one that has ended", ignore },
  () => {
    // Processes that are there, so that they have a command line, but as the test says.
    const root = { pid: 1_000_000, parent: 1, session: 1_000_000, started: "0" };
    const mine = { pid: Deno.ppid, parent: root.pid, session: Deno.ppid, started: "1" };
    const foreign = { pid: Deno.pid, parent: 1, session: Deno.ppid, started: "2" };
    let shown: Process[] = [root, mine];
    using descendants = new Descendants(root.pid, "NO_SUCH_MARK=1", () => shown);
    assert.deepEqual([...descendants.running().keys()], [mine.pid]);
    shown = [root, mine, { ...foreign, started: "0" }];
    assert.equal(descendants.running().size, 2, "a process of a session of ours");
    shown = [root];
    assert.equal(descendants.running().size, 0);
    shown = [root, foreign];
    assert.equal(descendants.running().size, 0);
  },
);
