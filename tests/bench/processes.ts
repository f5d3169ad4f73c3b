/** Processes of a bench: roles, the bare server, the load; and how long each may take. */
import { fileURLToPath } from "node:url";
import type { RoleName } from "../../services/roles.ts";
import type { Fleet } from "../../testing/fleet.ts";
import { type RoleProcess, startRole } from "../support/role_process.ts";
import { within } from "../../testing/waiting.ts";

/** Ends of everything that was started and not stopped since. */
const running = new Set<() => Promise<unknown>>();

/** Ends whatever a figure that failed has left behind. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((end) => end()));
  running.clear();
}

/** Starts a role as a process; resolves when it consumes and listens. */
export async function startOne(role: RoleName | "all", fleet: Fleet): Promise<RoleProcess> {
  const process = startRole(role, fleet.configPath, { TICKBORG_LOG: "info" });
  const end = () => process.kill();
  running.add(end);
  await within(`start of ${role}`, process.ready);
  return {
    ...process,
    async stop() {
      const code = await within(`stop of ${role}`, process.stop());
      running.delete(end);
      if (code !== 0) throw new Error(`${role} ended with code ${code}:\n${process.log()}`);
      return code;
    },
  };
}

/** Runs a script of this folder to its end; resolves to what it printed. */
export async function runScript(script: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", scriptPath(script), ...args],
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot run ${script}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** Starts a script of this folder; resolves when it has printed its first line. */
export async function startScript(script: string, args: readonly string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", scriptPath(script), ...args],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  async function stop(): Promise<void> {
    running.delete(stop);
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  }
  running.add(stop);
  await within(`start of ${script}`, reader.read());
  return { pid: child.pid, stop };
}

function scriptPath(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url));
}

/** Resident memory of a process in megabytes (10^6 bytes), from Linux's `/proc`: now, and at its peak. */
export async function residentMegabytes(pid: number): Promise<{ now: number; peak: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const megabytes = (field: string) =>
    Math.round(Number(status.match(new RegExp(`${field}:\\s+(\\d+) kB`))![1]) * 1.024 / 1_000);
  return { now: megabytes("VmRSS"), peak: megabytes("VmHWM") };
}

/** Clock ticks a second in Linux's `/proc`, the same on every machine there is. */
const TICKS = 100;

/** Microseconds of processor time that a process has used: other work on the machine hardly changes it. */
export async function cpuMicroseconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name before may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 1_000_000 / TICKS;
}

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}
