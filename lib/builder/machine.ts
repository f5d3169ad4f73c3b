/** What a sandbox must know about this machine, from a shell: a role may read few files. */
import { publicData, SECRET_PARTS } from "./sandbox/public_data.ts";
import { PROGRAMS } from "./recipes/step.ts";
import surveyScript from "./machine.sh" with { type: "text" };
import secretsScript from "./machine_secrets.sh" with { type: "text" };

/** Facts about the machine; see {@link surveyMachine}. */
export interface Machine {
  /** Folders in the root that are links into `/usr`, with their targets. */
  readonly links: ReadonlyMap<string, string>;
  /** Real folders in the root that contain programs and libraries. */
  readonly folders: readonly string[];
  /** Names in `/etc`. */
  readonly etc: readonly string[];
  /** The folders of PATH that exist, without symbolic links, in order. */
  readonly path: readonly string[];
  /** Real paths of programs, which may be links to outside those folders. */
  readonly programs: readonly string[];
  /** Existing paths that must stay hidden, and whether each is a folder. */
  readonly hidden: readonly { readonly path: string; readonly folder: boolean }[];
  /** The home folder of this user; `""` if there is none. */
  readonly home: string;
}

/** Programs whose real path a build may need: those of the build systems and common tools. */
const TOOLS = [
  ...PROGRAMS,
  ..."cc c++ gcc g++ clang clang++ ld rustc javac python3 node npm go perl pkg-config bash".split(
    " ",
  ),
];

/** The PATH of the shell's own tools, independent of the PATH of builds. */
const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin";

/**
 * Asks a shell about this machine. `hide` names files and folders that no build may see, such as
 * secrets. Never rejects if there is a shell: facts that cannot be found are left out.
 */
export async function surveyMachine(
  options: { path: string; hide: readonly string[] },
): Promise<Machine> {
  const rows = await ask(surveyScript, [options.path, ...options.hide, "--", ...TOOLS]);
  const of = (kind: string) => rows.filter((row) => row[0] === kind).map((row) => row.slice(1));
  const column = (kind: string) => [...new Set(of(kind).map(([value]) => value!))];
  const etc = column("etc");
  return {
    links: new Map(of("link").map(([folder, target]) => [folder!, target!])),
    folders: column("folder"),
    etc,
    path: column("path"),
    programs: column("program"),
    hidden: [...hiddenOf(rows), ...await secretsIn(publicData(etc), SECRET_PARTS)],
    home: column("home")[0] ?? "",
  };
}

/** What no build may see: matches of the patterns, and what in `places` is not world-readable. */
export async function secretsIn(
  places: readonly string[],
  patterns: readonly string[],
): Promise<Machine["hidden"]> {
  return hiddenOf(await ask(secretsScript, [patterns.join(" "), ...places]));
}

function hiddenOf(rows: readonly string[][]): Machine["hidden"] {
  return rows.filter(([kind]) => kind === "hide")
    .map(([, kind, path]) => ({ path: path!, folder: kind === "folder" }));
}

async function ask(script: string, args: readonly string[]): Promise<string[][]> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", script, "sh", ...args],
    clearEnv: true,
    env: { PATH: SYSTEM_PATH },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).split("\n").map((line) => line.split("\t"));
}

/** Roots of version managers that contain only toolchains. */
const MANAGERS = /^(.*\/\.(?:pyenv|rbenv|nodenv|goenv|jenv|nvm|sdkman|ghcup|volta|asdf))(?:\/|$)/;

/**
 * The folders that must be visible for the programs in `bin` to work, and no others. Home folders
 * have keys next to `bin`, so only `bin` itself and the roots of known version managers are shown.
 * Cargo's folder contains its credentials, so only its `bin` is shown. Pure.
 */
export function toolchainFolders(bin: string, home: string): string[] {
  if (/^\/(usr|bin|sbin|lib|lib32|lib64|libx32)(\/|$)/.test(bin)) return [];
  if (!/^\/[^/]+\/./.test(bin) || /^\/(etc|proc|sys|dev)\//.test(bin)) return [];
  if (bin.startsWith("/nix/")) return ["/nix/store"];
  const cargo = /^(.*)\/\.cargo\/bin$/.exec(bin);
  if (cargo) return [bin, `${cargo[1]}/.rustup`];
  if (/\/\.rustup\/toolchains\//.test(bin)) return [bin.replace(/(\/\.rustup)\/.*$/, "$1")];
  const manager = MANAGERS.exec(bin);
  if (manager) return [manager[1]!];
  const opt = /^\/opt\/[^/]+/.exec(bin);
  if (opt) return [opt[0]];
  const homes = [home, "/root", "/home", "/var", "/srv", "/tmp", "/run"];
  const prefix = bin.replace(/\/[^/]*$/, "");
  if (homes.some((folder) => folder !== "/" && `${bin}/`.startsWith(`${folder}/`))) return [bin];
  if (!bin.endsWith("/bin") || prefix.lastIndexOf("/") < 0) return [bin];
  return [
    bin,
    ...["lib", "lib64", "libexec", "share", "include"].map((name) => `${prefix}/${name}`),
  ];
}
