/** What the tests of `tickborg local` share: a small monorepo, and the command. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createMonorepo, type Monorepo } from "../../testing/monorepo.ts";
import { tickborg } from "./run.ts";

/** Runs the command. */
export function local(...args: string[]) {
  return tickborg(["local", ...args]);
}

const PROJECTS = [
  { name: "lib", path: "lib", build_system: "Make" as const, labels: ["area: lib"] },
  { name: "app", path: "app", build_system: "Make" as const, depends_on: ["lib"] },
  { name: "docs", path: "docs", build_system: { Custom: { command: "false" } } },
  {
    name: "mac",
    path: "mac",
    build_system: "Make" as const,
    systems: ["aarch64-darwin" as const],
    depends_on: ["lib"],
  },
];
const FILES = {
  "lib/Makefile": "all:\n\techo lib is built\ncheck:\n\techo lib is tested\n",
  "app/Makefile": "all:\n\techo app is built\ncheck:\n\techo app is tested\n",
  "docs/index": "1\n",
  "mac/Makefile": "all:\n\tfalse\n",
};

/** Runs a test with a monorepo: `app` and `mac` depend on `lib`, `docs` is always red. */
export async function withMonorepo(work: (monorepo: Monorepo) => Promise<void>): Promise<void> {
  const monorepo = await createMonorepo({ files: FILES, projects: PROJECTS });
  try {
    await work(monorepo);
  } finally {
    await monorepo.close();
  }
}

const AS_ADA = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];

/** Runs git as Ada. */
export async function gitIn(cwd: string, ...args: string[]): Promise<void> {
  await outputOf(cwd, ...args);
}

/** Runs git as Ada; resolves to what it printed. */
export async function outputOf(cwd: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: [...AS_ADA, ...args],
    cwd,
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, `git ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout).trim();
}

/** Every file with its size, those of git among them. */
export async function filesBelow(root: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(root)) {
    const path = join(root, entry.name);
    if (entry.isDirectory) found.push(...await filesBelow(path));
    else found.push(`${path} ${(await Deno.lstat(path)).size}`);
  }
  return found.sort();
}
