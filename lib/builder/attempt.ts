/** Runs one attempt of a job: checkout, builds, log and result. */
import type { Logger } from "@logtape/logtape";
import type { Publication } from "../broker/broker.ts";
import { sectionOf } from "../config/sections.ts";
import { describeError } from "../common/errors.ts";
import type { BuildJob } from "../messages/build_job.ts";
import type { BuildResult } from "../messages/build_result.ts";
import { type BuilderContext, jobsRoot } from "./builder_context.ts";
import { createJobFolder, type JobFolder } from "./checkout/job_folder.ts";
import { LogStream } from "./log/log_stream.ts";
import {
  type Attempt,
  type AttemptEnd,
  logMessages,
  logStartMessage,
  makeResult,
  startedMessage,
} from "./result.ts";
import { JobBuild } from "./job_build.ts";

/**
 * Runs a job on a system, yields its messages and returns the result. If `signal` aborts with a
 * string as reason, the result says that the build was cancelled; any other reason is thrown.
 * `tries` counts from 1. Throws a `TransientFault` if the git server or the disk fails temporarily.
 * Always ends the job's processes and removes its folder.
 */
export async function* runAttempt(
  { job, system, tries }: { job: BuildJob; system: string; tries: number },
  builder: BuilderContext,
  signal: AbortSignal,
): AsyncGenerator<readonly Publication[], BuildResult, void> {
  const attempt = begin(job, system, builder);
  const { log_messages, max_log_bytes } = sectionOf(builder.config, "builder");
  // GitHub limits writes: a retried job reports its start only when its source is ready.
  const started = [startedMessage(attempt)];
  const isFirst = tries === 1;
  if (isFirst) yield started;
  const folder = await createJobFolder(jobsRoot(builder.config), attempt.attemptId);
  const ending = new AbortController();
  const bothSignals = AbortSignal.any([signal, ending.signal]);
  const stream = new LogStream({ spool: folder.spool, maxLogBytes: max_log_bytes });
  let running: Promise<AttemptEnd> | undefined;
  try {
    const build = new JobBuild({ attempt, tries, builder, folder, stream, signal: bothSignals });
    const announced = logStartMessage(attempt, await build.prepare());
    yield isFirst ? [announced] : [...started, announced];
    running = build.run();
    // Awaited below; until then its failure must not count as unhandled.
    running.catch(() => {});
    yield* publishLog(stream, attempt, log_messages);
    return makeResult(attempt, await running);
  } finally {
    ending.abort();
    await running?.catch(() => {});
    stream.dispose();
    await removeFolder(folder, builder.log);
  }
}

function begin(job: BuildJob, system: string, { config, newId, now }: BuilderContext): Attempt {
  const { identity } = config.runner;
  return { job, system, identity, attemptId: newId(), startedAt: now() };
}

/** Publishes log lines as they arrive, until the log ends. */
async function* publishLog(
  stream: LogStream,
  attempt: Attempt,
  form: "batched" | "single",
): AsyncGenerator<readonly Publication[], void, void> {
  for (let parts = await stream.take(); parts; parts = await stream.take()) {
    const messages = parts.map((part) => logMessages(attempt, part, form));
    // In the old form each part is thousands of messages, so publish the parts one by one.
    if (form === "batched") yield messages.flat();
    else yield* messages;
  }
}

async function removeFolder(folder: JobFolder, log: Logger): Promise<void> {
  try {
    await folder.remove();
  } catch (error) {
    log.warn("Cannot remove a job's folder; the next start tries again", {
      folder: folder.root,
      error: describeError(error),
    });
  }
}
