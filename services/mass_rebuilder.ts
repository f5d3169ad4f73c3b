/** Evaluates pull requests: what they touch, their labels, and the builds that follow. */
import { servesRepo } from "../lib/acl.ts";
import { ack } from "../lib/broker/broker.ts";
import { describeError } from "../lib/errors.ts";
import { Evaluation } from "../lib/evaluation/evaluation.ts";
import { maintenanceTask } from "../lib/git/maintenance.ts";
import { decode } from "../lib/messages/codec.ts";
import { EvaluationJob } from "../lib/messages/evaluation_job.ts";
import { statsMessage } from "../lib/monitoring/stats_events.ts";
import type { Consumer, Progress, RoleContext, Service } from "../lib/role.ts";
import { QUEUE } from "../lib/topology.ts";

const NEVER = new AbortController().signal;

/** The role: takes evaluation jobs, publishes build jobs, queued notices and cancellations. */
export function createService(context: RoleContext): Promise<Service> {
  const consumer: Consumer<Uint8Array> = {
    queue: QUEUE.evaluationJobs,
    prefetch: 4,
    // Decoded by the handler, which counts what cannot be.
    decode: (delivery) => delivery.body,
    handle: (body, _delivery, stop) => handle(body, { stop, context }),
    exhausted: (body, error) =>
      new Evaluation(decode(EvaluationJob, body), { context, stop: NEVER }).giveUp(error),
  };
  return Promise.resolve({
    consumers: [consumer],
    periodic: [maintenanceTask(context.config.checkout!.root)],
  });
}

interface Turn {
  readonly context: RoleContext;
  readonly stop: AbortSignal;
}

async function* handle(body: Uint8Array, turn: Turn): Progress {
  const { config } = turn.context;
  let job: EvaluationJob;
  try {
    job = decode(EvaluationJob, body);
  } catch (error) {
    const stats = statsMessage(config.runner.identity, ["job-received", "job-decode-failure"]);
    return { publish: [stats], settle: { kind: "dead", reason: describeError(error) } };
  }
  if (!servesRepo(config, job.repo.full_name)) return { publish: [], settle: ack };
  return yield* new Evaluation(job, turn).run();
}
