/** Chooses a sandbox that the configuration allows and that works on this machine, by trial. */
import { dirname } from "node:path/posix";
import type { Logger } from "@logtape/logtape";
import { ConfigError } from "../../common/errors.ts";
import { createJobFolder, INSIDE } from "../checkout/job_folder.ts";
import { type Machine, surveyMachine } from "../machine.ts";
import { bubblewrap, plainSandbox, type Sandbox } from "./sandbox.ts";
import trialScript from "./trial.sh" with { type: "text" };

/** What a sandbox is chosen from. */
export interface OpenSandboxOptions {
  readonly mode: "auto" | "bubblewrap" | "none";
  readonly network: boolean;
  /** A folder for the trial's own files, which are removed again. */
  readonly jobsRoot: string;
  /** Files and folders that no build may see. */
  readonly hide: readonly string[];
  readonly extraEnv: Readonly<Record<string, string>>;
  readonly readOnlyPaths?: readonly string[];
  readonly log: Logger;
}

/**
 * Opens the sandbox. `auto` uses bubblewrap if a trial shows that it works. Otherwise it warns and
 * goes on without a sandbox as an unprivileged user, but refuses as root, whose builds could end or
 * change anything on the machine. Throws a {@link ConfigError} if it refuses, or if bubblewrap is
 * required and does not work.
 */
export async function openSandbox(options: OpenSandboxOptions): Promise<Sandbox> {
  const { mode, network, extraEnv, log } = options;
  if (mode !== "none") checkPaths(options.readOnlyPaths ?? []);
  const machine = await survey(options);
  if (mode === "none") return plainSandbox({ machine, network, extraEnv });
  const problems: string[] = [];
  for (const recent of [true, false]) {
    if (Deno.build.os !== "linux") break;
    const sandbox = bubblewrap({ ...options, machine, recent, ownPath: ownPath() });
    const problem = await trial(sandbox, options.jobsRoot);
    if (problem === undefined) return sandbox;
    problems.push(problem);
  }
  const why = problems.at(-1) ?? `there is no bubblewrap for ${Deno.build.os}`;
  if (mode === "bubblewrap") {
    throw new ConfigError(
      `Cannot run builds in bubblewrap, which builder.sandbox requires: ${why}; ` +
        "install it and allow user namespaces, or set builder.sandbox to auto or none",
    );
  }
  if (Deno.build.os !== "windows" && await isRoot()) {
    throw new ConfigError(
      `Cannot run strangers' builds as root without a sandbox: ${why}; install bubblewrap and allow ` +
        "user namespaces, run the builder as another user, or set builder.sandbox to none",
    );
  }
  log.warn("Builds run without a sandbox and can read what this user can", { reason: why });
  return plainSandbox({ machine, network, extraEnv });
}

/** Rejects folders of the machine that overlap with the builds' own. */
function checkPaths(paths: readonly string[]): void {
  for (const path of paths) {
    const [own, shown] = [`${dirname(INSIDE.tree)}/`, `${path.replace(/\/+$/, "")}/`];
    if (!own.startsWith(shown) && !Object.values(INSIDE).some((at) => shown.startsWith(`${at}/`))) {
      continue;
    }
    throw new ConfigError(
      `Cannot show builds ${path}, which builder.read_only_paths names: their own folders are in ` +
        `${dirname(INSIDE.tree)}; name the folders in it that they need, or move them`,
    );
  }
}

/** Asks a program, because `Deno.uid` needs a permission that the role does not otherwise need. */
async function isRoot(): Promise<boolean> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "id -u"] }).output();
  return new TextDecoder().decode(stdout).trim() === "0";
}

function ownPath(): string {
  return Deno.env.get("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
}

async function survey({ hide, extraEnv }: OpenSandboxOptions): Promise<Machine> {
  const path = extraEnv.PATH ?? ownPath();
  if (Deno.build.os !== "windows") return await surveyMachine({ path, hide });
  const folders = path.split(";").filter((folder) => folder !== "");
  return {
    links: new Map(),
    folders: [],
    etc: [],
    path: folders,
    programs: [],
    hidden: [],
    home: "",
  };
}

/** Runs a shell in the sandbox; undefined if the sandbox works, otherwise why it does not. */
async function trial(sandbox: Sandbox, jobsRoot: string): Promise<string | undefined> {
  const folder = await createJobFolder(jobsRoot, `trial-${crypto.randomUUID()}`);
  try {
    const { tree } = sandbox.places(folder);
    const { argv, cwd, env } = sandbox.wrap(
      { argv: ["sh", "-c", trialScript], cwd: tree, env: {} },
      folder,
    );
    const command = new Deno.Command(argv[0]!, {
      args: argv.slice(1),
      cwd,
      env: { ...env },
      clearEnv: true,
      stdin: "null",
    });
    const { success, stdout, stderr } = await command.output();
    const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "";
    if (success && new TextDecoder().decode(stdout).trim() === "works") return undefined;
    return said === "" ? "the trial inside it failed" : said;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "bwrap is not installed";
    throw error;
  } finally {
    await folder.remove();
  }
}
