/** Where a job's messages go when what it names is not there. */
import type { Logger } from "@logtape/logtape";
import type { Broker } from "../broker/broker.ts";
import { describeError } from "../common/errors.ts";
import { type BuildJob, logKey, logsTarget, resultTarget } from "../messages/build_job.ts";
import { EXCHANGE } from "../broker/topology.ts";

/** Whom to ask which queues there are. */
export interface TargetOptions {
  readonly broker: Pick<Broker, "inspect">;
  readonly log: Logger;
}

/**
 * A job whose messages arrive: where it names a queue that is not there, which AMQP would drop them for, the
 * wire's own exchanges stand in, so that its check run gets a result. Never rejects: where nobody can tell,
 * the job stays as it is.
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
    log.warn("A job names a queue that is not there; its messages go where others' go", { queue });
    return true;
  } catch (error) {
    log.warn("Cannot find out whether a job's queue is there", {
      queue,
      error: describeError(error),
    });
    return false;
  }
}
