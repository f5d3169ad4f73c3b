/** Evaluates pull requests: what they touch, their labels, and the builds that follow. */
import { servesRepo } from "../lib/access/acl.ts";
import { ack } from "../lib/broker/broker.ts";
import { describeError } from "../lib/common/errors.ts";
import { Evaluation, type EvaluationOptions } from "../lib/evaluation/evaluation.ts";
import { NO_PULL_REQUEST } from "../lib/evaluation/missing.ts";
import { maintenanceTask } from "../lib/git/maintenance.ts";
import { type GitHubRefusal, isMissing } from "../lib/github/github.ts";
import { decode } from "../lib/messages/codec.ts";
import { EvaluationJob } from "../lib/messages/evaluation_job.ts";
import { RECEIVED, statsMessage } from "../lib/monitoring/stats_events.ts";
import { MAX_TRIES, retryIfEarly } from "../lib/runtime/retry.ts";
import type {
  Consumer,
  HandlerResult,
  HandlerStream,
  RoleContext,
  Service,
} from "../lib/runtime/role.ts";
import { QUEUE } from "../lib/broker/topology.ts";

const NEVER = new AbortController().signal;

/** The role: takes evaluation jobs, publishes build jobs, queued notices and cancellations. */
export function createService(context: RoleContext): Promise<Service> {
  const consumer: Consumer<Uint8Array> = {
    queue: QUEUE.evaluationJobs,
    prefetch: 4,
    // Decoded by the handler, which counts what cannot be.
    decode: (delivery) => delivery.body,
    handle: (body, { tries }, stop) => handle(body, { tries, stop, context }),
    exhausted: (body, error) => {
      const last = { context, tries: MAX_TRIES, stop: NEVER };
      return new Evaluation(decode(EvaluationJob, body), last).giveUp(error);
    },
  };
  return Promise.resolve({
    consumers: [consumer],
    periodic: [maintenanceTask(context.config.checkout!.root)],
  });
}

async function* handle(body: Uint8Array, options: EvaluationOptions): HandlerStream {
  const { config } = options.context;
  let job: EvaluationJob;
  try {
    job = decode(EvaluationJob, body);
  } catch (error) {
    const stats = statsMessage(config.runner.identity, ["job-received", "job-decode-failure"]);
    return { publish: [stats], settle: { kind: "dead", reason: describeError(error) } };
  }
  if (!servesRepo(config, job.repo.full_name)) return { publish: [], settle: ack };
  const evaluation = new Evaluation(job, options);
  try {
    return yield* evaluation.run();
  } catch (error) {
    if (isMissing(error)) return await unseen(error as GitHubRefusal, evaluation, options);
    throw error;
  }
}

/** GitHub's API does not show what its webhook told of. */
async function unseen(
  error: GitHubRefusal,
  evaluation: Evaluation,
  { context, tries }: EvaluationOptions,
): Promise<HandlerResult> {
  retryIfEarly(error, tries);
  context.log.warn("GitHub does not show what is to be evaluated", { error: describeError(error) });
  const told = await evaluation.giveUp(error, NO_PULL_REQUEST);
  const events = [...RECEIVED, "issue-fetch-failed"] as const;
  const stats = statsMessage(context.config.runner.identity, events);
  return { publish: [...told, stats], settle: ack };
}
