/** The builds of `tickborg local`, in a folder of their own. */
import { join } from "node:path";
import { buildProject, previewProject } from "../../lib/builder/build_project.ts";
import type { ProjectBuild, ProjectOutcome } from "../../lib/builder/recipes/project_build.ts";
import { createGuard } from "../../lib/builder/sandbox/guard.ts";
import type { JobFolders } from "../../lib/builder/checkout/job_folder.ts";
import { safeLine } from "../../lib/builder/log/lines.ts";
import type { Problem } from "../../lib/builder/checkout/needs.ts";
import { openSandbox } from "../../lib/builder/sandbox/open_sandbox.ts";
import type { Sandbox } from "../../lib/builder/sandbox/sandbox.ts";
import type { Project } from "../../lib/config/config.ts";
import { DEFAULT_BUILD_TIMEOUT_SECONDS } from "../../lib/config/schema.ts";
import { sectionOf } from "../../lib/config/sections.ts";
import { ConfigError } from "../../lib/common/errors.ts";
import type { EvaluationPlan } from "../../lib/evaluation/plan.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { shellWord } from "../../lib/text/shell.ts";
import type { LocalBranch } from "./branch.ts";
import { Checkouts } from "./checkouts.ts";
import { describeFound, errorFinder, type FoundError } from "./first_error.ts";
import { describeBuilds, describeSummary, type LocalBuild, type LocalReport } from "./report.ts";
import type { Session } from "./options.ts";

/** A project to build, and why. */
export interface Choice {
  readonly project: Project;
  readonly why: string;
}

/** What to build. */
export interface BuildSelection {
  readonly branch: LocalBranch;
  readonly plan: EvaluationPlan;
  readonly chosen: readonly Choice[];
}

/** Makes a sandbox and checkouts, builds in them, and takes them away again. */
export async function buildAll(
  { branch, plan, chosen }: BuildSelection,
  session: Session,
): Promise<Pick<LocalReport, "builds" | "sandbox">> {
  const { merge } = branch.facts;
  if (chosen.length === 0 || merge.kind !== "clean") return { builds: [] };
  const jobsRoot = join(session.folder, "jobs");
  const sandbox = await sandboxFor(session, jobsRoot);
  const guard = createGuard();
  const projects = chosen.map(({ project }) => project);
  const checkouts = new Checkouts({ branch, tree: merge.tree, projects, jobsRoot }, session);
  try {
    const how = (project: Project, folders: JobFolders) =>
      projectBuild(project, { folders, sandbox, guard, head: branch.facts.head }, session);
    const builds = await showAndBuild({ plan, chosen, how, checkouts }, session);
    return { builds, ...(!session.options.dryRun && { sandbox: sandbox.kind }) };
  } finally {
    await guard.close();
    await checkouts.close();
  }
}

/** The sandbox that the configuration asks for; none, and none is tried, where nothing is run. */
async function sandboxFor({ options, config }: Session, jobsRoot: string): Promise<Sandbox> {
  const { sandbox, network, read_only_paths: readOnlyPaths } = sectionOf(config, "builder");
  try {
    return await openSandbox({
      mode: options.sandbox && !options.dryRun ? sandbox : "none",
      network,
      jobsRoot,
      hide: [],
      readOnlyPaths,
      extraEnv: config?.build?.extra_env ?? {},
      log: roleLogger("local"),
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${error.message}; or here: --no-sandbox`, { cause: error });
  }
}

function projectBuild(
  project: Project,
  { head, ...workplace }: Pick<ProjectBuild, "folders" | "sandbox" | "guard"> & { head: string },
  { options, config, signal }: Session,
): ProjectBuild {
  const seconds = project.build_timeout_seconds ?? config?.build?.build_timeout_seconds ??
    DEFAULT_BUILD_TIMEOUT_SECONDS;
  return {
    ...workplace,
    test: options.test ?? project.test ?? false,
    parallelism: options.parallelism,
    network: sectionOf(config, "builder").network,
    timeoutMs: 1_000 * seconds,
    env: {
      TICKBORG_PROJECT: project.name,
      TICKBORG_SYSTEM: hostSystem(),
      TICKBORG_HEAD_SHA: head,
    },
    signal,
  };
}

interface Builds {
  readonly plan: EvaluationPlan;
  readonly chosen: readonly Choice[];
  readonly checkouts: Checkouts;
  how(project: Project, folders: JobFolders): ProjectBuild;
}

/** Shows every command, then builds one project after the other. */
async function showAndBuild(
  { plan, chosen, checkouts, how }: Builds,
  { options, screen, signal }: Session,
): Promise<LocalBuild[]> {
  const planned: LocalBuild[] = [];
  const looked = await checkouts.fresh();
  for (const { project, why } of chosen) {
    const systems = plan.builds.filter((build) => build.project === project.name)
      .map(({ system }) => system);
    const place = { how: how(project, looked.folders), problem: looked.problemOf(project) };
    planned.push({ ...await preview(project, place), why, systems });
  }
  screen.lines(describeBuilds(planned));
  screen.progress(undefined);
  if (options.dryRun) return planned;
  const builds: LocalBuild[] = [];
  for (const [index, { project }] of chosen.entries()) {
    const ready = planned[index]!;
    if (ready.status !== undefined) {
      builds.push(ready);
      continue;
    }
    const checkout = await checkouts.take().catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    if (checkout === undefined || signal.aborted) {
      builds.push({ ...ready, status: "Stopped", reason: "was stopped before it began" });
      continue;
    }
    screen.progress(`${index + 1}/${chosen.length} ${project.name}`);
    builds.push(
      await build(ready, { project, how: how(project, checkout.folders), options, screen }),
    );
  }
  screen.progress(undefined);
  screen.lines(describeSummary(builds));
  return builds;
}

async function preview(
  project: Project,
  { how, problem }: { how: ProjectBuild; problem: Problem | undefined },
): Promise<Omit<LocalBuild, "systems" | "why">> {
  const common = { project: project.name, commands: [] };
  if (project.systems && !project.systems.includes(hostSystem())) {
    const reason = `it is built on ${project.systems.join(", ") || "no system"} only`;
    return { ...common, status: "Skipped", reason };
  }
  if (problem) {
    return { ...common, status: "Failure", step: "checkout", reason: safeLine(problem.reason) };
  }
  const look = await previewProject(project, how);
  if ("reason" in look) return { ...common, status: "Failure", reason: look.reason };
  return { ...common, commands: [...variablesFor(project, look.commands, how), ...look.commands] };
}

/** What a shell needs so that commands which use our variables can be typed at the root of a checkout. */
function variablesFor(project: Project, commands: readonly string[], how: ProjectBuild): string[] {
  if (!commands.some((command) => command.includes("TICKBORG_"))) return [];
  const build = shellWord(`build/${project.name}`);
  const values = Object.entries({ ...how.env, TICKBORG_JOBS: `${how.parallelism}` })
    .map(([name, value]) => `${name}=${shellWord(value)}`);
  const folders = `TICKBORG_SOURCE_DIR="$PWD"/${shellWord(project.path)}` +
    ` TICKBORG_BUILD_DIR="$PWD"/${build}`;
  return [`mkdir -p ${build} && export ${values.join(" ")} ${folders}`];
}

interface Build extends Pick<Session, "options" | "screen"> {
  readonly project: Project;
  readonly how: ProjectBuild;
}

/** An outcome, with the error that was recognised. */
type Outcome = ProjectOutcome & { readonly firstError?: FoundError };

async function build(ready: LocalBuild, work: Build): Promise<LocalBuild> {
  const { project, how, options, screen } = work;
  const { tree } = how.folders;
  const started = performance.now();
  const running = buildProject(project, how);
  screen.lines(["", `== ${project.name}`]);
  const errors = errorFinder();
  let lines: readonly string[] = [];
  for (let next = await running.next();; next = await running.next()) {
    if (!next.done) {
      // The last ones tell how the command ended: no error of its own.
      errors.push(lines);
      lines = next.value;
      screen.lines(lines);
      continue;
    }
    const { status, reason, firstError, ...rest }: Outcome = next.value;
    const error = /^(exited|was killed)/.test(reason ?? "")
      ? firstError ?? errors.found()
      : firstError;
    return {
      ...ready,
      ...rest,
      status: status === "Aborted" ? "Stopped" : status,
      ...(reason !== undefined && { reason }),
      ...(status === "Failure" && error && { error: describeFound(error, tree) }),
      ...(options.keep && { tree, ...await buildFolderOf(project, how) }),
      seconds: (performance.now() - started) / 1_000,
    };
  }
}

/** Where build systems that build outside of the checkout have built. */
async function buildFolderOf(project: Project, { folders }: ProjectBuild) {
  const buildFolder = join(folders.build, project.name);
  const isThere = await Deno.stat(buildFolder).then(() => true, () => false);
  return isThere ? { buildFolder } : {};
}
