/** What people do during a run, and what must stand there in the end. Pure, from the seed alone. */
import type { ProjectInput } from "../../testing/monorepo.ts";
import { Random } from "./random.ts";

/** What a build of a project is to do. */
export interface BuildPlan {
  readonly project: string;
  /** Numbered lines that the build prints. */
  readonly lines: number;
  readonly sleepMs: number;
  readonly fails: boolean;
}

/** A commit: the projects it changes and what their builds then do. */
export type CommitPlan = readonly BuildPlan[];

/** What happens to one pull request, or to one branch that is pushed to. */
export interface WorkPlan {
  readonly index: number;
  readonly kind: "pull request" | "push";
  readonly first: CommitPlan;
  /** A commit that is pushed while the first is in the works, and after how long. */
  readonly second?: { readonly commit: CommitPlan; readonly afterMs: number };
  /** A project that is asked for in a comment once the evaluation has begun. */
  readonly commentFor?: string;
  /** Closed after that long; its builds then count for nothing, but all must end. */
  readonly closedAfterMs?: number;
  readonly draft: boolean;
}

/** What a check run of a commit must end as. */
export interface ExpectedCheck {
  readonly project: string;
  readonly conclusion: "success" | "failure";
  readonly lines: number;
}

/** Lines that a project prints where no pull request says otherwise. */
const LINES_ON_MAIN = 12;

/** What a build runs: prints its numbered lines, takes its time, and fails where it is told to. */
const SCRIPT = `n=$(cat lines); i=1
while [ "$i" -le "$n" ]; do echo "chaos $1 line $i"; i=$((i + 1)); done
sleep "$(cat pause)"
if [ -e fail ]; then echo "chaos $1 fails on purpose" >&2; exit 1; fi
`;

const shell = (name: string) => ({ Custom: { command: `sh build.sh ${name}` } });

/** The projects of the monorepo. */
export const PROJECTS: readonly ProjectInput[] = [
  { name: "alpha", path: "alpha", build_system: shell("alpha"), labels: ["lib: alpha"] },
  { name: "beta", path: "libs/beta", build_system: "Make", labels: ["lib: beta"] },
  { name: "gamma", path: "gamma", build_system: shell("gamma"), depends_on: ["alpha"] },
  { name: "delta.dotted", path: "delta", build_system: shell("delta.dotted"), labels: ["delta"] },
  { name: "epsilon", path: "epsilon", build_system: shell("epsilon"), labels: ["lib: alpha"] },
];

const projectOf = (name: string) => PROJECTS.find((project) => project.name === name)!;

/** The files of the monorepo's main branch. */
export function mainFiles(): Record<string, string> {
  const files: Record<string, string> = { "README.md": "Chaos\n" };
  for (const { name, path } of PROJECTS) {
    files[`${path}/build.sh`] = SCRIPT;
    files[`${path}/Makefile`] = `all:\n\t@sh build.sh ${name}\n`;
    files[`${path}/lines`] = `${LINES_ON_MAIN}\n`;
    files[`${path}/pause`] = "0\n";
  }
  return files;
}

/** The files that a commit changes. */
export function commitFiles(commit: CommitPlan, index: number): Record<string, string> {
  const files: Record<string, string> = { [`docs/change-${index}.md`]: `Change ${index}\n` };
  for (const { project, lines, sleepMs, fails } of commit) {
    const { path } = projectOf(project);
    // The index makes the change one, whatever the numbers are.
    files[`${path}/change-${index}`] = `${index}\n`;
    files[`${path}/lines`] = `${lines}\n`;
    files[`${path}/pause`] = `${sleepMs / 1_000}\n`;
    if (fails) files[`${path}/fail`] = "yes\n";
  }
  return files;
}

/** Plans what happens to the pull request (or pushed branch) of an index. */
export function planWork(seed: number, index: number): WorkPlan {
  const random = Random.of(seed, index);
  const kind = random.chance(0.1) ? "push" : "pull request";
  const first = planCommit(random);
  if (kind === "push") return { index, kind, first, draft: false };
  const fate = random.next();
  const plan = { index, kind, first, draft: fate < 0.05 } as const;
  if (fate < 0.05) return plan;
  if (fate < 0.2) {
    const second = { commit: planCommit(random), afterMs: random.whole(0, 4_000) };
    return { ...plan, second };
  }
  if (fate < 0.3) return { ...plan, commentFor: random.pick(PROJECTS).name };
  if (fate < 0.34) return { ...plan, closedAfterMs: random.whole(0, 4_000) };
  return plan;
}

function planCommit(random: Random): CommitPlan {
  const count = random.pick([0, 1, 1, 1, 1, 2, 2, 3]);
  const names = new Set<string>();
  while (names.size < count) names.add(random.pick(PROJECTS).name);
  return [...names].map((project) => ({
    project,
    lines: random.chance(0.1) ? random.whole(2_000, 6_000) : random.whole(1, 60),
    sleepMs: random.chance(0.25) ? random.whole(500, 3_000) : 0,
    fails: random.chance(0.2),
  }));
}

/**
 * What the builds of the projects that differ from the base do in the end. A second commit stands on top
 * of the first: what only the first changed still holds, a failure too.
 */
function finalBuilds(plan: WorkPlan): Map<string, BuildPlan> {
  const builds = new Map<string, BuildPlan>();
  for (const build of [...plan.first, ...plan.second?.commit ?? []]) {
    const fails = build.fails || (builds.get(build.project)?.fails ?? false);
    builds.set(build.project, { ...build, fails });
  }
  return builds;
}

/** The check runs that the last commit must have in the end: what it changes and what depends on that. */
export function expectedChecks(plan: WorkPlan): ExpectedCheck[] {
  if (plan.draft) return [];
  const builds = finalBuilds(plan);
  const names = new Set(builds.keys());
  for (const { name, depends_on = [] } of PROJECTS) {
    if (depends_on.some((needed) => builds.has(needed))) names.add(name);
  }
  if (plan.commentFor !== undefined) names.add(plan.commentFor);
  return [...names].sort().map((project) => {
    const build = builds.get(project);
    return {
      project,
      conclusion: build?.fails ? "failure" : "success",
      lines: build?.lines ?? LINES_ON_MAIN,
    };
  });
}

/** What the check that sums up a pull request's builds must end as. */
export function expectedOverall(plan: WorkPlan): "success" | "failure" | "action_required" {
  const builds = finalBuilds(plan);
  if (plan.draft && builds.size > 0) return "action_required";
  return [...builds.values()].some(({ fails }) => fails) ? "failure" : "success";
}

/** The labels that a pull request must carry in the end. */
export function expectedLabels(plan: WorkPlan): string[] {
  const labels = [...finalBuilds(plan).keys()].flatMap((name) => projectOf(name).labels ?? []);
  return [...new Set(labels)].sort();
}
