/** Processes that outlived what started them. */
import { pause } from "../../testing/waiting.ts";

/** Milliseconds that processes which are just ending are given. */
const GRACE_MS = 60_000;

/** Command lines of processes that work in a folder, other than this one. */
export async function strayProcesses(folder: string): Promise<string[]> {
  if (Deno.build.os !== "linux") return [];
  const deadline = performance.now() + GRACE_MS;
  for (;;) {
    const found = await look(folder);
    if (found.length === 0 || performance.now() > deadline) return found;
    await pause(200);
  }
}

async function look(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === Deno.pid) continue;
    try {
      const command = (await Deno.readTextFile(`/proc/${name}/cmdline`)).replaceAll("\0", " ");
      const cwd = await Deno.readLink(`/proc/${name}/cwd`);
      if (command.includes(folder) || cwd.startsWith(folder)) found.push(`${name} ${command}`);
    } catch {
      // It has ended.
    }
  }
  return found;
}
