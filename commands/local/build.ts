/** The builds of `tickborg local`, in a folder of their own. */
import { join } from "node:path";
import { buildProject, previewProject, type ProjectBuild } from "../../lib/build/build_project.ts";
import { createGuard } from "../../lib/build/guard.ts";
import { createJobFolder, type JobFolder } from "../../lib/build/job_folder.ts";
import { safeLine } from "../../lib/build/lines.ts";
import { openSandbox } from "../../lib/build/open_sandbox.ts";
import type { Sandbox } from "../../lib/build/sandbox.ts";
import { writeSubmodules } from "../../lib/build/submodules.ts";
import { writeTree } from "../../lib/build/write_tree.ts";
import type { Config, Project } from "../../lib/config/config.ts";
import { DEFAULT_BUILD_TIMEOUT_SECONDS } from "../../lib/config/schema.ts";
import { sectionOf } from "../../lib/config/sections.ts";
import { ConfigError } from "../../lib/errors.ts";
import type { EvaluationPlan } from "../../lib/evaluation/plan.ts";
import { roleLogger } from "../../lib/log.ts";
import { hostSystem } from "../../lib/systems.ts";
import type { LocalBranch } from "./branch.ts";
import type { LocalOptions } from "./options.ts";
import { describeBuilds, describeSummary, type LocalBuild, type LocalReport } from "./report.ts";
import type { Screen } from "./screen.ts";

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

/** Makes a sandbox and a job's folder, builds in them, and takes them away again. */
export async function buildAll(
  { branch, plan, chosen }: Work,
  session: Session,
): Promise<Pick<LocalReport, "builds" | "sandbox">> {
  const { merge } = branch.facts;
  if (chosen.length === 0 || merge.kind !== "clean") return { builds: [] };
  const jobsRoot = join(session.folder, "jobs");
  const sandbox = await sandboxFor(session, jobsRoot);
  const guard = createGuard();
  const folders = await createJobFolder(jobsRoot, "job");
  try {
    const write = () => checkOut(branch, merge.tree, { folders, session });
    session.screen.lines(await write());
    const workplace = { folders, sandbox, guard };
    const how = (project: Project) => projectBuild(project, workplace, session);
    const freshTree = async () => {
      await folders.renew();
      await write();
    };
    const builds = await showAndBuild({ plan, chosen, how, freshTree }, session);
    return { builds, ...(!session.options.dryRun && { sandbox: sandbox.kind }) };
  } finally {
    await guard.close();
    await folders.remove();
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

/** Writes the merged tree and its submodules, of which it tells, into the job's folder. */
async function checkOut(
  { repository, env, url }: LocalBranch,
  tree: string,
  { folders, session }: { folders: JobFolder; session: Session },
): Promise<string[]> {
  const { folder, config, signal } = session;
  const written = await writeTree(repository, tree, { folders, env });
  const root = join(folder, "submodules");
  const sameHost = !sectionOf(config, "builder").network;
  const submodules = { root, url, sameHost, folders, written, signal, env };
  return (await writeSubmodules(repository, tree, submodules)).map(safeLine);
}

function projectBuild(
  project: Project,
  workplace: Pick<ProjectBuild, "folders" | "sandbox" | "guard">,
  { options, config, signal }: Session,
): ProjectBuild {
  const seconds = project.build_timeout_seconds ?? config?.build?.build_timeout_seconds ??
    DEFAULT_BUILD_TIMEOUT_SECONDS;
  return {
    ...workplace,
    test: options.test,
    jobs: options.jobs,
    network: sectionOf(config, "builder").network,
    timeoutMs: 1_000 * seconds,
    env: { TICKBORG_PROJECT: project.name, TICKBORG_SYSTEM: hostSystem() },
    signal,
  };
}

interface Builds {
  readonly plan: EvaluationPlan;
  readonly chosen: readonly Choice[];
  how(project: Project): ProjectBuild;
  /** Takes away what another project's build left in the checkout. */
  freshTree(): Promise<void>;
}

/** Shows every command, then builds one project after the other. */
async function showAndBuild(
  { plan, chosen, how, freshTree }: Builds,
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
  let used = false;
  for (const [index, { project }] of chosen.entries()) {
    const ready = planned[index]!;
    screen.progress(`${index + 1}/${chosen.length} ${project.name}`);
    if (ready.status === undefined && used) await freshTree();
    used ||= ready.status === undefined;
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
  return { ...ready, ...rest, status: status === "Aborted" ? "Stopped" : status, seconds };
}
