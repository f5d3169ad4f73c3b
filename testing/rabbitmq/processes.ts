/** Processes that are not Deno child processes: scripts, signals, and the user that owns them. */

let user: { uid?: number; gid?: number } | undefined;

/** The server refuses to share files with root, so root runs it as the package's own user. */
export async function serverUser(): Promise<{ uid?: number; gid?: number }> {
  if (user !== undefined) return user;
  if (Deno.uid() !== 0) return user = {};
  const id = async (flag: string) => {
    const { code, stdout } = await new Deno.Command("id", { args: [flag, "rabbitmq"] }).output();
    if (code !== 0) {
      throw new Error("Cannot run the server as the user rabbitmq: there is no such user");
    }
    return Number(new TextDecoder().decode(stdout));
  };
  return user = { uid: await id("-u"), gid: await id("-g") };
}

/** Runs a shell script with `args` as $1, $2, …, as this process's user by default. */
export async function shell(
  script: string,
  args: string[],
  options: { env: Record<string, string>; uid?: number; gid?: number },
): Promise<void> {
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", script, "sh", ...args],
    cwd: "/",
    clearEnv: true,
    stdin: "null",
    ...options,
  }).output();
  if (code !== 0) throw new Error(`Shell script failed: ${new TextDecoder().decode(stderr)}`);
}

/** Sends a signal; false if there is no such process. */
export async function sendSignal(pid: string, signal: string): Promise<boolean> {
  const { success } = await new Deno.Command("kill", {
    args: [`-${signal}`, "--", pid],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** Whether something listens on a port of this machine. */
export async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** A file's text; empty if there is none. */
export async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return "";
  }
}
