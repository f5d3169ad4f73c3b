/** `tickborg local`: how a developer sees what the bot would do, and reproduces what it did. */
import { safeLine } from "../lib/builder/log/lines.ts";
import { removeTree } from "../lib/builder/checkout/remove_tree.ts";
import { CheckoutError } from "../lib/builder/checkout/write_tree.ts";
import { type Config, loadConfig } from "../lib/config/config.ts";
import { ConfigSchema } from "../lib/config/schema.ts";
import { ConfigError, describeError, TransientFault, UsageError } from "../lib/common/errors.ts";
import { type EvaluationPlan, planEvaluation } from "../lib/evaluation/plan.ts";
import { nearest } from "../lib/text/nearest.ts";
import { hostSystem } from "../lib/messages/systems.ts";
import { command } from "./arguments.ts";
import { listenForInterruption } from "./interruption.ts";
import { type LocalBranch, openBranch } from "./local/branch.ts";
import { CloneError, cloneFault } from "./local/clone_error.ts";
import { buildAll, type Choice } from "./local/build.ts";
import { HELP, OPTIONS, type Session, understood } from "./local/options.ts";
import {
  describeBranch,
  type LocalBuild,
  type LocalReport,
  mistakesOf,
  whyTouched,
} from "./local/report.ts";
import { openScreen, terminalColumns } from "./local/screen.ts";

/** `tickborg local`. */
export const run = command(
  { help: HELP, words: true, options: OPTIONS },
  async (values, projects) => {
    const options = understood(values, projects);
    const config = options.config === undefined ? undefined : await loadConfig(options.config);
    using interruption = listenForInterruption();
    const { signal } = interruption;
    const screen = openScreen({
      out: Deno.stdout,
      err: Deno.stderr,
      json: options.json,
      columns: terminalColumns,
      now: () => performance.now(),
      closed: () => interruption.readerGone(),
    });
    const folder = await ownFolder();
    let kept = false;
    try {
      const report = await runLocal({ options, config, screen, folder, signal });
      kept = options.keep && report.builds.length > 0;
      if (options.json) screen.report(`${JSON.stringify(report, null, 2)}\n`);
      return interruption.code ?? (report.ok ? 0 : 1);
    } catch (caught) {
      const error = cloneFault(caught);
      // Ctrl-C ends git too, which fails in its own way.
      const code = interruption.code ?? (error instanceof CloneError ? 2 : 1);
      const known = [CheckoutError, CloneError, TransientFault].some((kind) =>
        error instanceof kind
      );
      if (!known && interruption.code === undefined) throw error;
      screen.close();
      if (known) console.error(safeLine(told(error as Error)));
      return code;
    } finally {
      screen.close();
      if (!kept) await removeTree(folder);
    }
  },
);

/** What is to be checked out needs no more words than its own; a machine's fault does. */
function told(error: Error): string {
  const whole = error instanceof CheckoutError && error.fault === "source";
  return whole || error instanceof CloneError ? error.message : describeError(error);
}

async function ownFolder(): Promise<string> {
  try {
    return await Deno.makeTempDir({ prefix: "tickborg-local-" });
  } catch (error) {
    throw new ConfigError(
      `Cannot make a folder for the merged tree: ${
        describeError(error)
      }; TMPDIR names another place`,
      { cause: error },
    );
  }
}

async function runLocal(session: Session): Promise<LocalReport> {
  const { options, config, screen, folder, signal } = session;
  const branch = await openBranch({
    ...options,
    fallback: config?.projects,
    folder,
    signal,
    progress: (text) => screen.progress(text),
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
  const mistakes = mistakesOf(branch, plan);
  const good = plan.outcome === "build" || plan.outcome === "nothing" ||
    options.projects.length > 0 && branch.facts.merge.kind === "clean" && mistakes === undefined;
  const fine = ({ status }: LocalBuild) =>
    status === "Success" || status === "Skipped" || (status === undefined && options.dryRun);
  return {
    ok: good && builds.every(fine),
    base: branch.facts.base,
    head: branch.facts.head,
    uncommitted: branch.uncommitted,
    workTree: branch.workTree,
    outcome: plan.outcome,
    ...(mistakes && { mistakes }),
    labels: plan.labels ?? null,
    test: options.test ?? false,
    ...(sandbox && { sandbox }),
    builds,
  };
}

/** Without a configuration: a fleet that serves this machine's system and all that the projects name. */
function supposedFleet({ facts }: LocalBranch): Config["github"] {
  const projects = facts.list.kind === "list" ? facts.list.projects : [];
  const systems = [...new Set([hostSystem(), ...projects.flatMap(({ systems }) => systems ?? [])])];
  return { ...ConfigSchema.shape.github.parse({}), systems };
}

/** The touched projects that would be built, or those named. Throws a UsageError for an unknown name. */
function chooseProjects(
  { facts }: LocalBranch,
  plan: EvaluationPlan,
  names: readonly string[],
): Choice[] {
  const all = plan.projects;
  // Its mistakes are told: whether a project is in it cannot be.
  if (facts.list.kind === "invalid" && all.length === 0) return [];
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
