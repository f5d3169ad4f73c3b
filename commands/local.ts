/** `tickborg local`: how a developer sees what the bot would do, and reproduces what it did. */
import { join } from "node:path";
import { buildProject, previewProject, type ProjectBuild } from "../lib/build/build_project.ts";
import { writeTree } from "../lib/build/checkout.ts";
import { createGuard } from "../lib/build/guard.ts";
import { createJobFolder } from "../lib/build/job_folder.ts";
import { openSandbox } from "../lib/build/open_sandbox.ts";
import { type Config, loadConfig, type Project } from "../lib/config/config.ts";
import { ConfigSchema } from "../lib/config/schema.ts";
import { UsageError } from "../lib/errors.ts";
import { type EvaluationPlan, planEvaluation } from "../lib/evaluation/plan.ts";
import { roleLogger } from "../lib/log.ts";
import { nearest } from "../lib/nearest.ts";
import { hostSystem } from "../lib/systems.ts";
import { type LocalBranch, openBranch } from "./local/branch.ts";
import { HELP, type LocalOptions, parseLocalOptions } from "./local/options.ts";
import {
  describeBranch,
  describeBuilds,
  describeSummary,
  type LocalBuild,
  type LocalReport,
  whyTouched,
} from "./local/report.ts";
import { openScreen, type Screen, writeAll } from "./local/screen.ts";

const DEFAULT_TIMEOUT_SECONDS = 3_600;

/** `tickborg local`. */
export async function run(args: string[]): Promise<number> {
  const options = parseLocalOptions(args);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const config = options.config === undefined ? undefined : await loadConfig(options.config);
  const interrupted = new AbortController();
  const onInterrupt = () => interrupted.abort("interrupted");
  Deno.addSignalListener("SIGINT", onInterrupt);
  const writer = options.json ? Deno.stderr : Deno.stdout;
  const screen = openScreen(writer, { terminal: writer.isTerminal() });
  const folder = await Deno.makeTempDir({ prefix: "tickborg-local-" });
  try {
    const session = { options, config, screen, folder, signal: interrupted.signal };
    const report = await runLocal(session);
    if (options.json) writeAll(Deno.stdout, `${JSON.stringify(report, null, 2)}\n`);
    return interrupted.signal.aborted ? 130 : report.ok ? 0 : 1;
  } finally {
    screen.close();
    Deno.removeSignalListener("SIGINT", onInterrupt);
    await Deno.remove(folder, { recursive: true });
  }
}

interface Session {
  readonly options: LocalOptions;
  readonly config: Config | undefined;
  readonly screen: Screen;
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function runLocal(session: Session): Promise<LocalReport> {
  const { options, config, screen, folder } = session;
  const branch = await openBranch({
    ...options,
    fallback: config?.projects,
    objects: join(folder, "objects"),
  });
  const plan = planEvaluation({
    branch: branch.facts,
    title: branch.facts.subjects[0] ?? "",
    draft: false,
    trusted: true,
    asked: true,
    maxProjects: Number.MAX_SAFE_INTEGER,
    config: config ?? { github: supposedFleet(branch) },
  });
  screen.lines(describeBranch(branch, plan));
  const chosen = chooseProjects(branch, plan, options.projects);
  const { builds, sandbox } = await buildAll({ branch, plan, chosen }, session);
  const good = plan.verdict === "build" || plan.verdict === "nothing" ||
    options.projects.length > 0 && branch.facts.merge.kind === "clean";
  const fine = ({ status }: LocalBuild) =>
    status === "Success" || status === "Skipped" || (status === undefined && options.dryRun);
  return {
    ok: good && builds.every(fine),
    base: branch.facts.base,
    head: branch.facts.head,
    uncommitted: branch.uncommitted,
    verdict: plan.verdict,
    labels: plan.labels ?? null,
    test: options.test,
    sandbox,
    builds,
  };
}

/** Without a configuration: a fleet that serves this machine's system and all that the projects name. */
function supposedFleet({ facts }: LocalBranch): Config["github"] {
  const projects = facts.list.kind === "list" ? facts.list.projects : [];
  const systems = [...new Set([hostSystem(), ...projects.flatMap(({ systems }) => systems ?? [])])];
  return { ...ConfigSchema.shape.github.parse({}), systems };
}

interface Choice {
  readonly project: Project;
  readonly why: string;
}

/** The touched projects that would be built, or those named. Throws a UsageError for an unknown name. */
function chooseProjects(
  { facts }: LocalBranch,
  plan: EvaluationPlan,
  names: readonly string[],
): Choice[] {
  const all = facts.list.kind === "list" ? facts.list.projects : [];
  const touched = new Map(plan.touched.map((one) => [one.project.name, whyTouched(one)]));
  for (const name of names) {
    if (all.some((project) => project.name === name)) continue;
    const known = all.map((project) => project.name);
    const near = nearest(name, known);
    const hint = near.length > 0
      ? `did you mean ${near.join(" or ")}?`
      : `there are: ${known.join(", ") || "none"}`;
    throw new UsageError(`No project is named ${JSON.stringify(name)}; ${hint}`);
  }
  if (facts.merge.kind !== "clean") return [];
  const wanted = names.length > 0
    ? all.filter(({ name }) => names.includes(name))
    : all.filter(({ name }) => touched.has(name) && !plan.leftOut.includes(name));
  return wanted.map((project) => ({
    project,
    why: touched.get(project.name) ?? "it was asked for",
  }));
}

interface Work {
  readonly branch: LocalBranch;
  readonly plan: EvaluationPlan;
  readonly chosen: readonly Choice[];
}

/** Makes a job's folder and a sandbox, builds in them, and takes them away again. */
async function buildAll(
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
    await writeTree(branch.repository, merge.tree, folders, branch.env);
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
