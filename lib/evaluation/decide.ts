/** Asks GitHub and the broker for what git does not know, and has the evaluation decided. */
import { maxProjects } from "../access/acl.ts";
import { baseSuffix } from "../check_runs/name.ts";
import type { PullRequest } from "../github/github.ts";
import type { EvaluationJob } from "../messages/evaluation_job.ts";
import type { RoleContext } from "../runtime/role.ts";
import type { System } from "../messages/systems.ts";
import { buildQueue } from "../broker/topology.ts";
import { trusts } from "../access/trust.ts";
import type { BranchFacts } from "./branch_facts.ts";
import { type EvaluationPlan, planEvaluation, systemsOf } from "./plan.ts";
import { withTests } from "./with_tests.ts";

/** What a decision is made from. */
export interface DecideOptions {
  readonly context: RoleContext;
  readonly pull: PullRequest;
  readonly branch: BranchFacts;
  /** Whether the head was evaluated before. */
  readonly again: boolean;
}

/** What an evaluation leads to. */
export interface Decision {
  readonly plan: EvaluationPlan;
  /** Whether the pull request's author, or who asked, is trusted. */
  readonly trusted: boolean;
  /** Systems of the plan's builds that no builder is connected for. */
  readonly unserved: readonly System[];
}

/** Decides what an evaluation leads to. What was tested at the head before is tested again. */
export async function decide(job: EvaluationJob, options: DecideOptions): Promise<Decision> {
  const { context, pull, branch, again } = options;
  const { config } = context;
  const { repo, requested_by: asker } = job;
  const people = { config, github: context.github(), repo };
  const trusted = await trusts(pull.author, people) ||
    (asker !== undefined && await trusts(asker, people));
  const planned = planEvaluation({
    branch,
    title: pull.title,
    draft: pull.draft,
    trusted,
    asked: asker !== undefined,
    maxProjects: maxProjects(config),
    config,
  });
  const plan = again ? await asTested(planned, job, options) : planned;
  return { plan, trusted, unserved: await unservedOf(systemsOf(plan.builds), context) };
}

/** No evaluation takes the result of a test away. */
async function asTested(
  plan: EvaluationPlan,
  { repo, pr }: EvaluationJob,
  { context, pull }: DecideOptions,
): Promise<EvaluationPlan> {
  const runs = await context.github().checkRuns(repo, pr.head_sha) ?? [];
  const suffix = baseSuffix(pull.baseRef, pull.defaultBranch);
  return { ...plan, builds: withTests(plan.builds, { runs, suffix, pull: pr.number }) };
}

async function unservedOf(systems: readonly System[], { broker }: RoleContext): Promise<System[]> {
  const facts = await Promise.all(systems.map(async (system) => ({
    system,
    queue: await broker.inspect(buildQueue(system)),
  })));
  return facts.filter(({ queue }) => !queue?.consumers).map(({ system }) => system);
}
