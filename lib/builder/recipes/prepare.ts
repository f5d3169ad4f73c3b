/** Inspects a project and plans its commands, or says why it cannot be built. */
import { join } from "node:path";
import type { Project } from "../../config/config.ts";
import type { ProjectBuild, ProjectOutcome } from "./project_build.ts";
import { makeBuildFolder } from "../checkout/job_folder.ts";
import { planBuild } from "./plan.ts";
import { projectFacts } from "./project_facts.ts";
import { type BuildFolders, type Plan, UnbuildableError } from "./step.ts";

/** A project's commands and its folders as they see them. */
export interface Prepared {
  readonly plan: Plan;
  readonly folders: BuildFolders;
}

/** Debian packages of programs, if the package has another name. */
const DEBIAN_PACKAGES: Readonly<Record<string, string>> = {
  ninja: "ninja-build",
  autoreconf: "autoconf automake libtool",
  gmake: "make",
  java: "default-jdk",
};

/** Plans a project's build from what is in its folder now. Throws if the inspection fails. */
export async function prepareBuild(
  project: Project,
  options: ProjectBuild,
): Promise<Prepared | ProjectOutcome> {
  const { folders, sandbox, test, parallelism, network } = options;
  await makeBuildFolder(join(folders.build, project.name));
  const { tree, build, home } = sandbox.places(folders);
  const facts = await projectFacts(join(tree, project.path), options);
  if (facts === undefined) {
    const reason =
      `Cannot build ${project.name}: its folder ${project.path} is not in the repository`;
    return { status: "Failure", reason };
  }
  const own: BuildFolders = { tree, build: join(build, project.name), home };
  let plan: Plan;
  try {
    plan = planBuild(project, {
      test,
      parallelism,
      network,
      os: Deno.build.os,
      folders: own,
      facts,
    });
  } catch (error) {
    if (!(error instanceof UnbuildableError)) throw error;
    return { status: "Failure", reason: error.message, step: "test" };
  }
  const missing = plan.needs.filter((names) => !names.some((name) => facts.programs.has(name)));
  if (missing.length === 0) return { plan, folders: own };
  return { status: "UnexpectedError", reason: describeMissing(project, missing) };
}

/** Names everything that is missing; for alternative programs, the package of the first. */
function describeMissing(project: Project, missing: Plan["needs"]): string {
  const lacking = missing.map(([first, ...others]) =>
    others.length === 0 ? first : `${first} (or ${others.join(" or ")})`
  ).join(" and ");
  const packages = missing.map(([first]) => DEBIAN_PACKAGES[first!] ?? first).join(" ");
  return `Cannot build ${project.name}: this builder lacks ${lacking}; its operator must install ` +
    `that (on Debian: apt-get install ${packages}), or remove this system from the project's ` +
    "systems";
}
