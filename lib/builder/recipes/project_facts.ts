/** Inspects a project's folder and the programs for its build, from inside the sandbox. */
import { dirname, join, relative } from "node:path";
import { runCommand } from "../sandbox/process.ts";
import type { ProcessGuard } from "../sandbox/guard.ts";
import { PROGRAMS, type ProjectFacts, type Script } from "./step.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { JobFolders } from "../checkout/job_folder.ts";
import script from "./project_facts.sh" with { type: "text" };

/** Where and how to inspect a project. */
export interface FactsOptions {
  readonly sandbox: Sandbox;
  readonly guard: ProcessGuard;
  readonly folders: JobFolders;
  readonly signal: AbortSignal;
}

/** Matches the shell that a script's first line names. */
const SHELL =
  /^#! *(?:\S*\/)?(?:env +(?:-\S+ +)*)?(?:\S*\/)?(sh|bash|dash|ash|ksh|mksh|zsh)(?:\s|$)/;

/**
 * The facts that a plan is made from; undefined if the project has no folder. A symbolic link out
 * of the checkout shows only what the sandbox shows. Throws if the inspection fails.
 */
export async function projectFacts(
  source: string,
  options: FactsOptions,
): Promise<ProjectFacts | undefined> {
  const { sandbox, folders, guard, signal } = options;
  const { tree } = sandbox.places(folders);
  if (Deno.build.os === "windows") return await windowsFacts(source, tree, sandbox.env.PATH!);
  const argv = ["sh", "-c", script, "sh", source, tree, ...PROGRAMS];
  const command = sandbox.wrap({ argv, cwd: tree, env: {} }, folders);
  const output = runCommand({ ...command, guard, timeoutMs: 60_000, signal });
  const lines: string[] = [];
  let next = await output.next();
  for (; !next.done; next = await output.next()) {
    if (lines.length < 20_000) lines.push(...next.value);
  }
  const end = next.value;
  if (end.kind !== "exited" || end.code !== 0) {
    const cause = end.kind === "failed" ? end.error : lines.slice(-3).join("; ");
    throw new Error(`Cannot inspect ${source}: ${end.kind}`, { cause });
  }
  if (!lines.includes("folder")) return undefined;
  return parseFacts(lines);
}

function parseFacts(lines: readonly string[]): ProjectFacts {
  const of = (kind: string) =>
    new Set(
      lines.filter((line) => line.startsWith(`${kind} `)).map((line) =>
        line.slice(kind.length + 1)
      ),
    );
  const scripts = [...of("script")].map((words): [string, Script] => {
    const [name, mode, ...first] = words.split(" ");
    const shell = SHELL.exec(first.join(" "))?.[1] ?? "sh";
    return [name!, { executable: mode === "x", shell }];
  });
  const [gradleWrapper] = of("wrapper");
  return {
    files: of("file"),
    programs: of("program"),
    makeTargets: of("target"),
    scripts: new Map(scripts),
    ...(gradleWrapper === undefined ? {} : { gradleWrapper }),
  };
}

async function windowsFacts(
  source: string,
  tree: string,
  path: string,
): Promise<ProjectFacts | undefined> {
  const files = new Set<string>();
  try {
    for await (const entry of Deno.readDir(source)) files.add(entry.name);
  } catch {
    return undefined;
  }
  const programs = new Set<string>();
  for (const folder of path.split(";")) {
    for (const program of PROGRAMS) {
      for (const suffix of [".exe", ".cmd", ".bat"]) {
        const there = await Deno.stat(join(folder, program + suffix)).then(() => true, () => false);
        if (there) programs.add(program);
      }
    }
  }
  const text = await Deno.readTextFile(join(source, "Makefile")).catch(() => "");
  const targets = ["test", "check"].filter((name) => new RegExp(`^${name}\\s*:`, "m").test(text));
  const gradleWrapper = await wrapperAbove(source, tree);
  return {
    files,
    programs,
    makeTargets: new Set(targets),
    scripts: new Map(),
    ...(gradleWrapper === undefined ? {} : { gradleWrapper }),
  };
}

/** The nearest wrapper in this folder or a parent folder, within the checkout. */
async function wrapperAbove(folder: string, tree: string): Promise<string | undefined> {
  const file = join(folder, "gradlew.bat");
  if (await Deno.stat(file).then(({ isFile }) => isFile, () => false)) return file;
  return relative(tree, folder) === "" ? undefined : await wrapperAbove(dirname(folder), tree);
}
