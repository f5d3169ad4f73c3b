/** The builds of `tickborg local`, in a folder of their own. */
import { join } from "node:path";
import { buildProject, previewProject, type ProjectBuild } from "../../lib/build/build_project.ts";
import { createGuard } from "../../lib/build/guard.ts";
import { createJobFolder } from "../../lib/build/job_folder.ts";
import { openSandbox } from "../../lib/build/open_sandbox.ts";
import { writeSubmodules } from "../../lib/build/submodules.ts";
import { writeTree } from "../../lib/build/write_tree.ts";
import type { Config, Project } from "../../lib/config/config.ts";
import type { EvaluationPlan } from "../../lib/evaluation/plan.ts";
import { roleLogger } from "../../lib/log.ts";
import { hostSystem } from "../../lib/systems.ts";
import type { LocalBranch } from "./branch.ts";
import type { LocalOptions } from "./options.ts";
import { describeBuilds, describeSummary, type LocalBuild, type LocalReport } from "./report.ts";
import type { Screen } from "./screen.ts";

const DEFAULT_TIMEOUT_SECONDS = 3_600;

/** One run of the command. */
export interface Session {
  readonly options: LocalOptions;
  readonly config: Config | undefined;
  readonly screen: Screen;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** A project to build, and why. */
export interface Choice {
  readonly project: Project;
  readonly why: string;
}

/** What to build. */
export interface Work {
  readonly branch: LocalBranch;
  readonly plan: EvaluationPlan;
  readonly chosen: readonly Choice[];
}

/** Makes a job's folder and a sandbox, builds in them, and takes them away again. */
export async function buildAll(
  { branch, plan, chosen }: Work,
  session: Session,
): Promise<Pick<LocalReport, "builds" | "sandbox">> {
  const { options, config, folder } = session;
  const jobsRoot = join(folder, "jobs");
  const sandbox = await openSandbox({
    mode: options.sandbox ? config?.builder?.sandbox ?? "auto" : "none",
    network: config?.builder?.network ?? true,
    jobsRoot,
    hide: [],
    readOnlyPaths: config?.builder?.read_only_paths ?? [],
    extraEnv: config?.build?.extra_env ?? {},
    log: roleLogger("local"),
  });
  const { merge } = branch.facts;
  if (chosen.length === 0 || merge.kind !== "clean") return { builds: [], sandbox: sandbox.kind };
  const guard = createGuard();
  const folders = await createJobFolder(jobsRoot, "job");
  try {
    const { env } = branch;
    const written = await writeTree(branch.repository, merge.tree, { folders, env });
    const root = join(folder, "submodules");
    const { signal } = session;
    const sameHost = !(config?.builder?.network ?? true);
    const submodules = { root, url: branch.url, sameHost, folders, written, signal, env };
    session.screen.lines(await writeSubmodules(branch.repository, merge.tree, submodules));
    const workplace = { folders, sandbox, guard };
    const how = (project: Project) => projectBuild(project, workplace, session);
    return { builds: await showAndBuild({ plan, chosen, how }, session), sandbox: sandbox.kind };
  } finally {
    await guard.close();
    await folders.remove();
  }
}

function projectBuild(
  project: Project,
  workplace: Pick<ProjectBuild, "folders" | "sandbox" | "guard">,
  { options, config, signal }: Session,
): ProjectBuild {
  const seconds = project.build_timeout_seconds ?? config?.build?.build_timeout_seconds ??
    DEFAULT_TIMEOUT_SECONDS;
  return {
    ...workplace,
    test: options.test,
    jobs: options.jobs,
    network: config?.builder?.network ?? true,
    timeoutMs: 1_000 * seconds,
    env: { TICKBORG_PROJECT: project.name, TICKBORG_SYSTEM: hostSystem() },
    signal,
  };
}

interface Builds {
  readonly plan: EvaluationPlan;
  readonly chosen: readonly Choice[];
  how(project: Project): ProjectBuild;
}

/** Shows every command, then builds one project after the other. */
async function showAndBuild(
  { plan, chosen, how }: Builds,
  { options, screen }: Session,
): Promise<LocalBuild[]> {
  const planned: LocalBuild[] = [];
  for (const choice of chosen) {
    const systems = plan.builds.filter(({ project }) => project === choice.project.name)
      .map(({ system }) => system);
    planned.push({ ...await preview(choice, how), systems });
  }
  screen.lines(describeBuilds(planned));
  if (options.dryRun) return planned;
  const builds: LocalBuild[] = [];
  for (const [index, { project }] of chosen.entries()) {
    const ready = planned[index]!;
    screen.progress(`${index + 1}/${chosen.length} ${project.name}`);
    builds.push(ready.status === undefined ? await build(project, ready, how, screen) : ready);
  }
  screen.progress(undefined);
  screen.lines(describeSummary(builds));
  return builds;
}

async function preview(
  { project, why }: Choice,
  how: (project: Project) => ProjectBuild,
): Promise<Omit<LocalBuild, "systems">> {
  const common = { project: project.name, why, commands: [] };
  if (project.systems && !project.systems.includes(hostSystem())) {
    const reason = `it is built on ${project.systems.join(", ") || "no system"} only`;
    return { ...common, status: "Skipped", reason };
  }
  const look = await previewProject(project, how(project));
  return "commands" in look
    ? { ...common, commands: look.commands }
    : { ...common, status: "Failure", reason: look.reason };
}

async function build(
  project: Project,
  ready: LocalBuild,
  how: (project: Project) => ProjectBuild,
  screen: Screen,
): Promise<LocalBuild> {
  const started = performance.now();
  const running = buildProject(project, how(project));
  screen.lines(["", `== ${project.name}`]);
  let next = await running.next();
  for (; !next.done; next = await running.next()) screen.lines(next.value);
  const { status, ...rest } = next.value;
  const seconds = (performance.now() - started) / 1_000;
  return { ...ready, ...rest, status: status === "Aborted" ? "Skipped" : status, seconds };
}
