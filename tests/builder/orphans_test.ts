/** Whatever happens to a builder, nothing that it started lives on. */
import assert from "node:assert/strict";
import { until, within } from "../../testing/waiting.ts";
import { toolTest } from "./tools.ts";

const BUILDER = new URL("./orphan_builder.ts", import.meta.url).pathname;

/** The ids of processes whose command line holds a text. */
async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (line.split("\0").includes(text)) found.push(Number(name));
  }
  return found;
}

for (const mode of ["bubblewrap", "none"]) {
  const programs = mode === "none" ? ["sh", "setsid"] : ["sh", "setsid", "bwrap"];
  toolTest(
    `a builder killed with SIGKILL leaves no process behind (sandbox: ${mode})`,
    programs,
    async () => {
      const jobsRoot = await Deno.makeTempDir({ prefix: "tickborg-orphans-" });
      // A number that no other process sleeps for.
      const seconds = `${600 + Math.random()}`;
      const builder = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--frozen", BUILDER, mode, jobsRoot, seconds],
        stdin: "null",
        stdout: "piped",
      }).spawn();
      try {
        const reader = builder.stdout.getReader();
        await within("the build to start", reader.read());
        await until("its processes", async () => (await processesWith(seconds)).length >= 3);
        builder.kill("SIGKILL");
        await builder.status;
        await until("their end", async () => (await processesWith(seconds)).length === 0);
        await reader.cancel();
        assert.deepEqual(await processesWith(seconds), []);
      } finally {
        for (const pid of await processesWith(seconds)) Deno.kill(pid, "SIGKILL");
        await Deno.remove(jobsRoot, { recursive: true });
      }
    },
  );
}
