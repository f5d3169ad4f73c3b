/** Processes of a bench: roles, the bare server, the load. */
import { fileURLToPath } from "node:url";
import type { Fleet } from "../support/fleet.ts";
import { type RoleProcess, startRole } from "../support/role_process.ts";
import type { RoleName } from "../../services/roles.ts";

/** Starts roles as a fleet runs them: one process each on RabbitMQ, one for all on the embedded broker. */
export async function startRoles(
  fleet: Fleet,
  broker: "embedded" | "rabbitmq",
  roles: readonly RoleName[],
): Promise<RoleProcess[]> {
  const names = broker === "embedded" ? ["all" as const] : roles;
  const processes = names.map((name) =>
    startRole(name, fleet.configPath, { TICKBORG_LOG: "info" })
  );
  await Promise.all(processes.map((process) => process.ready));
  return processes;
}

/** Runs a script of this folder to its end; resolves to what it printed. */
export async function runScript(script: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", scriptPath(script), ...args],
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot run ${script}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** Starts a script of this folder; resolves when it has printed its first line. */
export async function startScript(script: string, args: readonly string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", scriptPath(script), ...args],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  return {
    async stop() {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

function scriptPath(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url));
}

/** Resident memory of a process in megabytes (10^6 bytes), from Linux's `/proc`. */
export async function residentMegabytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Math.round(Number(status.match(/VmRSS:\s+(\d+) kB/)![1]) * 1.024) / 1_000;
}

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}
