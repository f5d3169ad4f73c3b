/** Confines a build to its own folders with bubblewrap, or runs it without a sandbox. */
import type { Machine } from "../machine.ts";
import { toolchainFolders } from "../machine.ts";
import { publicData } from "./public_data.ts";
import { type BuildPaths, HOST_NAME, INSIDE, type JobFolders } from "../checkout/job_folder.ts";

/** A command, its folder as the build sees it, and its whole environment. */
export interface Invocation {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Turns a build's command into the one to run. */
export interface Sandbox {
  readonly kind: "bubblewrap" | "none";
  /** The environment of every build; it inherits nothing else from this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Where a build's commands find a job's folders. */
  places(folders: JobFolders): BuildPaths;
  /** Whether the sandbox hides a path of the machine from builds. */
  hides(path: string): boolean;
  wrap(command: Invocation, folders: JobFolders): Invocation;
}

/** What a sandbox is made from. */
export interface SandboxOptions {
  readonly machine: Machine;
  readonly network: boolean;
  /** Whether bubblewrap can forbid user namespaces inside and limit a tmpfs (0.8.0 and later). */
  readonly recent?: boolean;
  /** The configuration's `builder.read_only_paths`. */
  readonly readOnlyPaths?: readonly string[];
  /** The PATH that bubblewrap itself is found in. */
  readonly ownPath?: string;
  /** The configuration's `build.extra_env`. */
  readonly extraEnv?: Readonly<Record<string, string>>;
}

/** The size of `/dev/shm`, which is memory; browsers and databases under test need some. */
const SHARED_MEMORY_BYTES = 1024 ** 3;

/** The environment of every build. `extra_env` comes last, to let operators change all of it. */
function buildEnvironment(options: SandboxOptions): Record<string, string> {
  const { machine, extraEnv } = options;
  const rustup = [...machine.path, ...machine.programs]
    .map((path) => /^(.*)\/\.cargo\/bin(\/|$)/.exec(path)?.[1]).find(Boolean);
  return {
    PATH: machine.path.join(Deno.build.os === "windows" ? ";" : ":") || "/usr/bin:/bin",
    LANG: "C.UTF-8",
    TERM: "dumb",
    CI: "true",
    USER: "build",
    LOGNAME: "build",
    ...(rustup === undefined ? {} : { RUSTUP_HOME: `${rustup}/.rustup` }),
    ...extraEnv,
  };
}

/** No sandbox: the environment is still clean, and HOME and TMPDIR are the job's own. */
export function plainSandbox(options: SandboxOptions): Sandbox {
  const env = buildEnvironment(options);
  return {
    kind: "none",
    env,
    places: (folders) => folders,
    hides: () => false,
    wrap: (command, folders) => ({
      ...command,
      env: { HOME: folders.home, TMPDIR: folders.tmp, ...env, ...command.env },
    }),
  };
}

/**
 * bubblewrap (https://github.com/containers/bubblewrap): new user, process, IPC, UTS and cgroup
 * namespaces, and a network namespace if the network is off; an empty root with the system and the
 * toolchains read-only, and a private `/tmp`. Only the job's own folders are writable. When the
 * process that started it dies, so does everything inside.
 */
export function bubblewrap(options: SandboxOptions): Sandbox {
  const env = buildEnvironment(options);
  const { mounts, covers, seen } = systemMounts(options);
  return {
    kind: "bubblewrap",
    env,
    places: () => INSIDE,
    hides: (path) => !isWithin(path, [...seen, ...OWN_FILES]),
    wrap: (command, folders) => ({
      argv: [
        "bwrap",
        ...namespaces(options),
        // First, because a tool may be in the machine's own /tmp.
        ...["--bind", folders.tmp, "/tmp", "--symlink", "../tmp", "/var/tmp"],
        ...mounts,
        ...jobMounts(folders, covers),
        "--chdir",
        command.cwd,
        "--clearenv",
        ...Object.entries({ HOME: INSIDE.home, ...env, ...command.env })
          .flatMap(([name, value]) => ["--setenv", name, value]),
        "--",
        ...command.argv,
      ],
      cwd: folders.root,
      // Builds can read bubblewrap's own environment as that of process 1.
      env: { PATH: options.ownPath ?? "/usr/local/bin:/usr/bin:/bin" },
    }),
  };
}

function namespaces({ network, recent }: SandboxOptions): string[] {
  return [
    "--die-with-parent",
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    ...(network ? [] : ["--unshare-net"]),
    ...(recent ? ["--disable-userns"] : []),
    // Many builds refuse to run as root.
    ...["--uid", "1000", "--gid", "1000", "--hostname", HOST_NAME],
    ...["--cap-drop", "ALL"],
  ];
}

function systemMounts({ machine, readOnlyPaths = [], recent }: SandboxOptions): SystemMounts {
  const bind = (path: string) => ["--ro-bind-try", path, path];
  const programs = machine.programs.map((file) => file.replace(/\/[^/]*$/, ""));
  const found = [...machine.path, ...programs]
    .flatMap((folder) => toolchainFolders(folder, machine.home));
  const toolchains = new Set([...found, ...readOnlyPaths]);
  const data = publicData(machine.etc);
  const seen = ["/usr", ...machine.folders, ...data, ...toolchains];
  const hidden = outermost(machine.hidden).filter(({ path }) => isWithin(path, seen));
  const mounts = [
    ...["--ro-bind", "/usr", "/usr"],
    ...[...machine.links].flatMap(([link, target]) => ["--symlink", target, link]),
    ...machine.folders.flatMap(bind),
    // Builds cannot list this folder; they find the data of programs in it by name.
    ...(recent ? ["--perms", "0111", "--dir", "/var/lib"] : []),
    ...data.flatMap(bind),
    // On the machine this is a link to the mounts of the process that reads it.
    ...["--symlink", "../proc/self/mounts", "/etc/mtab"],
    ...["--tmpfs", "/run"],
    ...[...toolchains].sort().flatMap(bind),
    ...hidden.flatMap(({ path, folder }) =>
      folder ? ["--tmpfs", path] : ["--ro-bind", "/dev/null", path]
    ),
    ...["--proc", "/proc"],
    // As root, bubblewrap 0.8 leaves these writable, and so the settings of the machine's kernel.
    ...["--ro-bind", "/proc/sys", "/proc/sys"],
    ...["--ro-bind-try", "/proc/sysrq-trigger", "/proc/sysrq-trigger"],
    ...["--ro-bind-try", "/proc/mtrr", "/proc/mtrr"],
    ...["--ro-bind-try", "/proc/pressure", "/proc/pressure"],
    ...["--dev", "/dev", ...(recent ? ["--size", `${SHARED_MEMORY_BYTES}`] : [])],
    ...["--tmpfs", "/dev/shm"],
  ];
  return { mounts, covers: hidden.filter(({ folder }) => folder).map(({ path }) => path), seen };
}

interface SystemMounts {
  readonly mounts: readonly string[];
  /** Empty folders in memory that hide something. */
  readonly covers: readonly string[];
  /** Paths of the machine that builds see. */
  readonly seen: readonly string[];
}

/** Files of the machine that the job's own files replace. */
const OWN_FILES = ["/etc/passwd", "/etc/group", "/etc/hosts", "/etc/mtab"];

function isWithin(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => `${path}/`.startsWith(`${folder}/`));
}

/** Leaves out what is inside a hidden folder, because it is hidden with it. */
function outermost(hidden: Machine["hidden"]): Machine["hidden"] {
  const folders = hidden.filter(({ folder }) => folder).map(({ path }) => path);
  return hidden.filter(({ path }) => !isWithin(path, folders.filter((other) => other !== path)));
}

function jobMounts(
  { tree, build, home, users, groups, hosts }: JobFolders,
  covers: readonly string[],
): string[] {
  return [
    ...["--bind", tree, INSIDE.tree, "--bind", build, INSIDE.build, "--bind", home, INSIDE.home],
    ...["--ro-bind", users, "/etc/passwd", "--ro-bind", groups, "/etc/group"],
    ...["--ro-bind", hosts, "/etc/hosts"],
    // Files written here would use memory, which no disk limit covers.
    ...[...covers, "/dev", "/run", "/"].flatMap((folder) => ["--remount-ro", folder]),
  ];
}
