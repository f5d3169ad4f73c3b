/** Where a job's messages go if a queue that it names does not exist. */
import type { Logger } from "@logtape/logtape";
import type { Broker } from "../broker/broker.ts";
import { describeError } from "../common/errors.ts";
import { type BuildJob, logKey, logsTarget, resultTarget } from "../messages/build_job.ts";
import { EXCHANGE } from "../broker/topology.ts";

/** How to find out which queues exist. */
export interface TargetOptions {
  readonly broker: Pick<Broker, "inspect">;
  readonly log: Logger;
}

/**
 * Returns the job with targets that exist. AMQP drops messages to a missing queue, so the usual
 * exchanges replace it and the check run still gets a result. Never rejects: if the broker cannot
 * tell, the job stays unchanged.
 */
export async function withReachableTargets(
  job: BuildJob,
  options: TargetOptions,
): Promise<BuildJob> {
  const [logs, result] = [logsTarget(job), resultTarget(job)];
  return {
    ...job,
    ...(await isMissing(logs, options) ? { logs: [EXCHANGE.logs, logKey(job)] } : {}),
    ...(await isMissing(result, options) ? { statusreport: [EXCHANGE.buildResults, null] } : {}),
  };
}

async function isMissing(
  [exchange, queue]: [exchange: string, routingKey: string],
  { broker, log }: TargetOptions,
): Promise<boolean> {
  if (exchange !== "") return false;
  try {
    if (await broker.inspect(queue) !== undefined) return false;
    log.warn("A job names a missing queue; its messages go to the usual exchange", { queue });
    return true;
  } catch (error) {
    log.warn("Cannot find out whether a job's queue exists", {
      queue,
      error: describeError(error),
    });
    return false;
  }
}
