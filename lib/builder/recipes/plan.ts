/** The commands that build and test a project. Pure; the build systems are in `recipes.ts`. */
import { posix, win32 } from "node:path";
import type { Project } from "../../config/config.ts";
import { type Recipe, shell, step } from "./recipe.ts";
import { custom, RECIPES } from "./recipes.ts";
import type { Plan, PlanOptions } from "./step.ts";

/**
 * Throws {@link UnbuildableError} if tests were requested and the project cannot have any.
 * `configure_args` go to the configure command, or to every command if there is none.
 */
export function planBuild(project: Project, options: PlanOptions): Plan {
  const { join } = options.os === "windows" ? win32 : posix;
  const source = join(options.folders.tree, project.path);
  const recipe: Recipe = { ...options, project, source, join };
  const plan = typeof project.build_system === "object"
    ? custom(project.build_system.Custom.command, recipe)
    : RECIPES[project.build_system](recipe);
  if (!options.test) return { ...plan, steps: plan.steps.filter(({ name }) => name !== "test") };
  if (project.test_command === undefined) return plan;
  const own = step("test", shell(project.test_command, options.os), source);
  return { ...plan, steps: [...plan.steps.filter(({ name }) => name !== "test"), own] };
}
