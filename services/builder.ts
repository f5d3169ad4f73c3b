/**
 * Builds the jobs of this machine's systems and streams their logs. A repeated job gets its
 * previous result; a job whose builder died is built again as a new attempt.
 */
import { runAttempt } from "../lib/builder/attempt.ts";
import { type BuilderContext, checkoutRoot, jobsRoot } from "../lib/builder/builder_context.ts";
import { subscribeToJobs } from "../lib/builder/every_job.ts";
import { createGuard } from "../lib/builder/sandbox/guard.ts";
import { removeStaleJobFolders } from "../lib/builder/checkout/job_folder.ts";
import { openSandbox } from "../lib/builder/sandbox/open_sandbox.ts";
import { makeResult, resultMessages } from "../lib/builder/result.ts";
import { jobKey, RunningJobs } from "../lib/builder/running_jobs.ts";
import type { Sandbox } from "../lib/builder/sandbox/sandbox.ts";
import { makeSecretPaths, secretPaths } from "../lib/builder/sandbox/secret_paths.ts";
import { withReachableTargets } from "../lib/builder/targets.ts";
import { ack, type Broker, type Publication, type Subscription } from "../lib/broker/broker.ts";
import { foreignMistake, sectionOf, systemsOf } from "../lib/config/sections.ts";
import { ConfigError, describeError } from "../lib/common/errors.ts";
import { maintenanceTask } from "../lib/git/maintenance.ts";
import { BuildJob } from "../lib/messages/build_job.ts";
import type { BuildResult } from "../lib/messages/build_result.ts";
import { Cancellation } from "../lib/messages/cancellation.ts";
import { decode } from "../lib/messages/codec.ts";
import {
  type Consumer,
  type HandlerStream,
  Requeue,
  type RoleContext,
  type Service,
} from "../lib/runtime/role.ts";
import type { System } from "../lib/messages/systems.ts";
import { buildQueue, EXCHANGE } from "../lib/broker/topology.ts";

/**
 * Creates the builder. Throws a ConfigError if the required sandbox does not work, or if the
 * machine is not one of the configured systems.
 */
export async function createService(context: RoleContext): Promise<Service> {
  const { config, broker, log } = context;
  const systems = systemsOf(config);
  const foreign = foreignMistake(config);
  if (foreign !== undefined) throw new ConfigError(foreign);
  const { concurrency } = sectionOf(config, "builder");
  const sandbox = await openBuilderSandbox(context);
  log.info("Builder is set up", { systems, sandbox: sandbox.kind, concurrency });
  const parallelism = parallelismFor(navigator.hardwareConcurrency, concurrency * systems.length);
  const builder: BuilderContext = { ...context, sandbox, guard: createGuard(), parallelism };
  const running = new RunningJobs(context.now);
  const consumers = systems.map((system) => jobConsumer(system, { builder, running, broker }));
  const cancellations = await subscribeToCancellations(running, context);
  const every = config.runner.build_all_jobs
    ? await subscribeToJobs(consumers, { broker, log, concurrency })
    : undefined;
  return {
    consumers: every ? [] : consumers,
    periodic: [maintenanceTask(checkoutRoot(config))],
    async close() {
      await cancellations.cancel();
      await every?.cancel();
      await builder.guard.close();
    },
  };
}

/** Removes the folders of dead builders, then tests the sandbox. */
async function openBuilderSandbox({ config, log }: RoleContext): Promise<Sandbox> {
  const removed = await removeStaleJobFolders(jobsRoot(config), log);
  if (removed > 0) log.info("Removed folders of dead builders", { folders: removed });
  const { sandbox: mode, network, read_only_paths } = sectionOf(config, "builder");
  await makeSecretPaths(config);
  return await openSandbox({
    mode,
    network,
    jobsRoot: jobsRoot(config),
    hide: secretPaths(config, Deno.env.get("CREDENTIALS_DIRECTORY")),
    readOnlyPaths: read_only_paths,
    extraEnv: config.build!.extra_env,
    log,
  });
}

function subscribeToCancellations(
  running: RunningJobs,
  { broker, log }: RoleContext,
): Promise<Subscription> {
  return broker.subscribe(EXCHANGE.cancellations, "#", (delivery) => {
    try {
      const stopped = running.cancel(decode(Cancellation, delivery.body));
      if (stopped > 0) log.info("Cancelling builds", { builds: stopped });
    } catch (error) {
      log.warn("Ignoring malformed cancellation", { error: describeError(error) });
    }
  });
}

interface ConsumerOptions {
  readonly builder: BuilderContext;
  readonly running: RunningJobs;
  readonly broker: Broker;
}

function jobConsumer(system: System, options: ConsumerOptions): Consumer<BuildJob> {
  const { builder } = options;
  return {
    queue: buildQueue(system),
    prefetch: sectionOf(builder.config, "builder").concurrency,
    withLease: true,
    decode: (delivery) => decode(BuildJob, delivery.body),
    // A lost delivery goes to another builder, whose result counts.
    handle: (job, { lost, tries }, stop) =>
      handleJob({ job, system, tries, stop: AbortSignal.any([stop, lost]) }, options),
    exhausted: (job, error) => messagesOf(job, givenUp({ job, system, error }, builder), options),
  };
}

interface JobDelivery {
  readonly job: BuildJob;
  readonly system: System;
  /** How often the job has been delivered, from 1. */
  readonly tries: number;
  readonly stop: AbortSignal;
}

/** Builds a job; if the same job is running or has run, publishes that result again. */
async function* handleJob(
  { job: asked, system, tries, stop }: JobDelivery,
  options: ConsumerOptions,
): HandlerStream {
  const { builder, running, broker } = options;
  const { log } = builder;
  const job = await withReachableTargets(asked, { broker, log });
  const claim = await running.claim(jobKey(job, system), job);
  if ("known" in claim) return finish(await messagesOf(job, claim.known, options));
  const { entry } = claim;
  const either = untilEither(entry.signal, stop);
  let result: BuildResult | undefined;
  const told = {
    repo: job.repo.full_name,
    number: job.pr.number,
    projects: job.attrs,
    system,
  };
  log.info("Build starts", told);
  try {
    result = yield* runAttempt({ job, system, tries }, builder, either.signal);
    log.info("Build ended", { ...told, status: result.status, seconds: result.duration_seconds });
    return finish(await messagesOf(job, result, options));
  } finally {
    either.release();
    entry.end(result);
  }
}

/** The messages for a job's end. A reply queue may have gone since the build began. */
async function messagesOf(
  job: BuildJob,
  result: BuildResult,
  { broker, builder: { log } }: ConsumerOptions,
): Promise<Publication[]> {
  return resultMessages(await withReachableTargets(job, { broker, log }), result);
}

function finish(publish: readonly Publication[]) {
  return { publish, settle: ack };
}

/** Aborts when the job is cancelled, or with a {@link Requeue} when the role stops. */
function untilEither(
  cancelled: AbortSignal,
  stop: AbortSignal,
): { signal: AbortSignal; release(): void } {
  const requeue = new AbortController();
  const give = () =>
    requeue.abort(
      new Requeue("The builder stopped or lost the job before the build ended"),
    );
  if (stop.aborted) give();
  else stop.addEventListener("abort", give, { once: true });
  return {
    signal: AbortSignal.any([cancelled, requeue.signal]),
    release: () => stop.removeEventListener("abort", give),
  };
}

/** The result of a job that is given up: a lasting fault, a bug of ours, or a poison job. */
function givenUp(
  { job, system, error }: { job: BuildJob; system: System; error: unknown },
  { config, newId, now }: BuilderContext,
): BuildResult {
  const reason = `Gave up: ${describeError(error)}`;
  const { identity } = config.runner;
  const attempt = { job, system, identity, attemptId: newId(), startedAt: now() };
  const outcomes = job.attrs.map((project) => ({
    project,
    status: "UnexpectedError" as const,
    reason,
    step: "checkout",
    output: [reason],
  }));
  return makeResult(attempt, { outcomes, logLines: 0, endedAt: attempt.startedAt });
}

/** Parallel commands per build: together, all builds use each processor once. */
export function parallelismFor(processors: number, builds: number): number {
  return Math.max(1, Math.floor(processors / builds));
}
