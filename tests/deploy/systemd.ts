/** A systemd of the test's own, and what `systemd-analyze` says of units. */
import assert from "node:assert/strict";
import { until } from "../../testing/waiting.ts";
import { repositoryPath, run, succeed } from "./tools.ts";

/** For `ignore`: whether systemd cannot be booted here; in CI the test runs, and fails. */
export function withoutBoot(): boolean {
  if (Deno.env.get("CI") === "true") return false;
  try {
    Deno.statSync("/lib/systemd/systemd");
    return Deno.uid() !== 0;
  } catch {
    return true;
  }
}

/** A booted systemd. */
export interface Booted extends AsyncDisposable {
  /** Runs a program beside it, as root; throws with what it printed when it fails. */
  run(...command: string[]): Promise<string>;
  /** The last lines of a unit's journal. */
  journal(unit: string): Promise<string>;
}

/** Makes a control group to boot in, in each hierarchy there is, and moves this test's child there. */
const IN_GROUP = `
  for base in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    if [ -e "$base/cgroup.procs" ]; then
      mkdir -p "$base/$1" && echo $$ > "$base/$1/cgroup.procs"
    fi
  done
  exec unshare --fork --kill-child --pid --mount --uts --ipc --cgroup sh "$2" "$3" "$4" "$5"`;

const REMOVE_GROUP = `
  for base in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    if [ -d "$base/$1" ]; then
      find "$base/$1" -depth -type d -exec rmdir {} + 2> /dev/null || exit 1
    fi
  done`;

/** Boots systemd with Tickborg and the units and files that `folder` holds, see `boot_systemd.sh`. */
export async function boot(folder: string): Promise<Booted> {
  const group = `tickborg-test-${crypto.randomUUID()}`;
  const script = repositoryPath("tests/deploy/boot_systemd.sh");
  const installer = repositoryPath("deploy/install.ts");
  const unshare = new Deno.Command("sh", {
    args: ["-c", IN_GROUP, "sh", group, script, folder, Deno.execPath(), installer],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const errors = new Response(unshare.stderr).text();
  let ended = false;
  unshare.status.then(() => ended = true);
  const within = async (command: readonly string[]) => {
    const children = await Deno.readTextFile(`/proc/${unshare.pid}/task/${unshare.pid}/children`);
    const pid = children.trim().split(" ")[0]!;
    return ["nsenter", "-t", pid, "-m", "-p", "-u", "-i", "-C", "-r", "-w", ...command];
  };
  const booted: Booted = {
    run: async (...command) => await succeed(await within(command)),
    journal: async (unit) =>
      (await run(await within(["journalctl", "--no-pager", "-n", "60", "-o", "cat", "-u", unit])))
        .stdout,
    async [Symbol.asyncDispose]() {
      if (!ended) unshare.kill("SIGKILL");
      await unshare.status;
      await errors;
      await until(
        "the control groups' end",
        async () =>
          (await run(["sh", "-c", REMOVE_GROUP, "sh", group])).code === 0 ? true : undefined,
      );
    },
  };
  try {
    await until("systemd", async () => {
      if (ended) throw new Error(`systemd did not boot:\n${await errors}`);
      const state = await run(await within(["systemctl", "is-active", "tickborg-test.target"]))
        .catch(() => undefined);
      return state?.stdout.trim() === "active" ? true : undefined;
    });
    return booted;
  } catch (error) {
    await booted[Symbol.asyncDispose]();
    throw error;
  }
}

/** Writes units where `systemd-analyze` can find them, with programs that exist. */
async function laidOut(units: ReadonlyMap<string, string>, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, text] of units) {
    const path = `${folder}/${name}`;
    await Deno.writeTextFile(path, text.replace(/^ExecStart=.*$/m, "ExecStart=/bin/true"));
    paths.push(path);
  }
  return paths;
}

/** Has `systemd-analyze verify` look at units, and asserts that it finds nothing. */
export async function verifyUnits(
  units: ReadonlyMap<string, string>,
  folder: string,
): Promise<void> {
  const paths = await laidOut(units, folder);
  const { code, stdout, stderr } = await run(["systemd-analyze", "verify", "--man=no", ...paths]);
  const about = `${stdout}${stderr}`.split("\n").filter((line) => line.includes("tickborg"));
  const faultless = code === 0 && about.length === 0;
  assert.ok(faultless, `systemd-analyze verify:\n${stdout}${stderr}`);
}

/** The exposure that `systemd-analyze security` gives a unit: 0 is none, 10 is all. */
export async function exposure(name: string, text: string, folder: string): Promise<number> {
  const [path] = await laidOut(new Map([[name, text]]), folder);
  const output = await succeed([
    "systemd-analyze",
    "security",
    "--offline=true",
    "--no-pager",
    path!,
  ]);
  const level = /Overall exposure level for \S+: ([\d.]+)/.exec(output);
  if (level === null) throw new Error(`Cannot read the exposure of ${name}:\n${output}`);
  return Number(level[1]);
}
