/** What the recipes of all build systems share. Pure. */
import type { Project } from "../../config/config.ts";
import type { Os, PlanOptions, Step, StepName } from "./step.ts";

/** What a recipe is made from. */
export interface Recipe extends PlanOptions {
  readonly project: Project;
  /** The project's folder in the checkout. */
  readonly source: string;
  readonly join: (...parts: string[]) => string;
}

/** A command line for the system's shell. */
export function shell(command: string, os: Os): string[] {
  return os === "windows" ? ["cmd", "/d", "/s", "/c", command] : ["sh", "-c", command];
}

/** Makes a step. */
export function step(name: StepName, argv: readonly string[], cwd: string): Step {
  return { name, argv, cwd };
}

/** Runs an executable script by its first line; a missing one is expected to be executable. */
export function script(name: string, path: string, { facts, os }: Recipe): string[] {
  const known = facts.scripts.get(name);
  const itself = os !== "windows" && known?.executable !== false;
  return itself ? [path] : [known?.shell ?? "sh", path];
}
