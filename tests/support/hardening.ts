/**
 * Runs programs under what a unit's hardening does, as far as it can be had without systemd: the launcher
 * of `tests/hardening/launch.c`, with system call sets as this machine's systemd defines them, and a
 * read-only file system by bubblewrap.
 */

const source = new URL("../hardening/launch.c", import.meta.url).pathname;

/** The hardening that a launcher can apply; see `launch.c`. */
export type Restriction = "mdwe" | "no-new-privs" | "families" | "no-namespaces" | "syscalls";

/** What the sets of `SystemCallFilter=` come to: names of system calls. */
export async function systemCalls(filter: readonly string[]): Promise<string[]> {
  const sets = await systemCallSets();
  const expand = (name: string): string[] =>
    name.startsWith("@") ? (sets.get(name) ?? missing(name)).flatMap(expand) : [name];
  const allowed = new Set<string>();
  for (const item of filter) {
    const removes = item.startsWith("~");
    for (const name of item.replace("~", "").split(" ").flatMap(plain).flatMap(expand)) {
      if (removes) allowed.delete(name);
      else allowed.add(name);
    }
  }
  // Every allow list has them (systemd.exec(5), "SystemCallFilter").
  for (const name of expand("@default")) allowed.add(name);
  return [...allowed].sort();
}

function plain(name: string): string[] {
  return name === "" ? [] : [name];
}

function missing(name: string): never {
  throw new Error(`systemd knows no set ${name}`);
}

async function systemCallSets(): Promise<Map<string, string[]>> {
  const text = await output("systemd-analyze", ["--no-pager", "syscall-filter"]);
  const sets = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split("\n")) {
    if (/^@/.test(line)) sets.set(line.trim(), current = []);
    else if (/^ +[@a-z]/.test(line)) current.push(line.trim());
  }
  return sets;
}

/** Compiles the launcher for one system call filter into a folder; resolves to the program's path. */
export async function compileLauncher(folder: string, filter: readonly string[]): Promise<string> {
  const names = await systemCalls(filter);
  const header = names.map((name) => `#ifdef __NR_${name}\n__NR_${name},\n#endif\n`).join("");
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/syscalls.h`, header);
  await output("cc", ["-Wall", "-Werror", "-I", folder, "-o", `${folder}/launch`, source]);
  return `${folder}/launch`;
}

/** The words that run a program under restrictions. */
export function restricted(launcher: string, restrictions: readonly Restriction[]): string[] {
  return [launcher, ...restrictions.map((name) => `--${name}`), "--"];
}

/** Folders beside the machine's own that a program on a read-only file system sees. */
export interface Folders {
  /** Folders it may write, which must exist. */
  readonly writable: readonly string[];
  /** Folders it may read although they lie in `/tmp`, which is its own otherwise. */
  readonly visible?: readonly string[];
  /** Whether it sees the machine's own /proc: Linux lets a sandbox inside mount a fresh one only then. */
  readonly wholeProc?: boolean;
  /** What stands for systemd: the folder that holds its `notify` socket, and the role's `RuntimeDirectory=`. */
  readonly systemd?: { readonly folder: string; readonly runtimeDirectory: string };
}

/** The words that run a program on a read-only file system but for some folders and a `/tmp` of its own. */
export function readOnly(folders: Folders): string[] {
  const { writable, visible = [], wholeProc = false, systemd } = folders;
  return [
    "bwrap",
    ...["--ro-bind", "/", "/", "--dev", "/dev", "--tmpfs", "/tmp"],
    ...(wholeProc ? ["--bind", "/proc", "/proc"] : ["--proc", "/proc"]),
    ...(systemd
      ? [
        ...["--tmpfs", "/run", "--dir", systemd.runtimeDirectory],
        ...["--ro-bind", systemd.folder, "/run/systemd"],
      ]
      : []),
    ...visible.flatMap((folder) => ["--ro-bind", folder, folder]),
    ...writable.flatMap((folder) => ["--bind", folder, folder]),
    "--die-with-parent",
    "--",
  ];
}

async function output(program: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    env: { SYSTEMD_COLORS: "0", LC_ALL: "C" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${text(stderr)}`);
  return text(stdout);
}
