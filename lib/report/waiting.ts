/** Every word of a check run, and nothing else: pure functions from what happened to what people read. */
import type { BuildSubject } from "../check_runs/message.ts";
import { code, duration, plain } from "./markdown.ts";
import { type Addresses, baseText, howToChange, logLink, type Report } from "./parts.ts";

export { type Addresses, logLink, type Report, reproduceCommand } from "./parts.ts";
export { leftOutReport, resultReport, type Verdict, verdictOf } from "./result.ts";

/** The state of a system's queue when a report is written; undefined fields are not known. */
export interface QueueState {
  readonly waiting?: number | undefined;
  readonly builders?: number | undefined;
}

/** A build that waits for a builder. */
export function queuedReport(
  subject: BuildSubject,
  queue: QueueState,
  addresses: Addresses,
): Report {
  const system = plain(subject.system, 50);
  if (queue.builders === 0) {
    return {
      title: `Waiting: no builder is connected for ${system}`,
      summary: [
        `No builder for ${
          code(system)
        } is connected at the moment. The build starts by itself as soon ` +
        "as one is. If none comes, this check fails and says so.",
        howToChange(subject, addresses),
      ].join("\n\n"),
    };
  }
  const before = queue.waiting === undefined ? undefined : Math.max(0, queue.waiting - 1);
  return {
    title: before === undefined || before === 0
      ? `Waiting for a builder on ${system}`
      : `Waiting for a builder on ${system}, about ${before} ${
        before === 1 ? "job" : "jobs"
      } ahead`,
    summary: [
      `${code(subject.project)} is queued for ${
        code(system)
      }. Next, a builder merges the change into ` +
      `${baseText(subject)} and ${subject.test ? "builds and tests" : "builds"} the project; ` +
      "this check then shows who builds it and links to the live log.",
      howToChange(subject, addresses),
    ].join("\n\n"),
  };
}

/** A build that runs. */
export function startedReport(
  subject: BuildSubject,
  started: { identity: string; attemptId: string },
  addresses: Addresses,
): Report {
  const link = logLink(subject, started.attemptId, addresses);
  return {
    title: `${subject.test ? "Building and testing" : "Building"} on ${
      plain(started.identity, 100)
    }`,
    summary: [
      `Builder ${code(started.identity, 200)} is at work on ${code(subject.project)} for ` +
      `${code(subject.system)}, merged into ${baseText(subject)}.`,
      ...(link === undefined ? [] : [`[Live log](${link})`]),
      howToChange(subject, addresses),
    ].join("\n\n"),
  };
}

/** Why a sweep gave a check run up. */
export type GivenUp = "no-builder" | "not-started" | "no-news";

/** A check run that nobody brings to an end. */
export function givenUpReport(
  run: { name: string; system: string; seconds: number },
  why: GivenUp,
  addresses: Addresses,
): Report {
  const after = duration(run.seconds);
  const project = run.name.endsWith(` on ${run.system}`)
    ? run.name.slice(0, -` on ${run.system}`.length)
    : run.name;
  const again = `To build again, comment ${code(`${addresses.handle} build ${project}`)} on the ` +
    "pull request, or push.";
  const late = "Should a builder still take this job, its result replaces this message.";
  switch (why) {
    case "no-builder":
      return {
        title: `No builder serves ${plain(run.system, 50)}`,
        summary:
          `The job waited for ${after} and no builder for ${code(run.system)} is connected. ` +
          "Ask whoever runs the builders to start one, or take the system out of the project's " +
          `\`systems\`. ${late}\n\n${again}`,
      };
    case "not-started":
      return {
        title: `Not started within ${after}`,
        summary:
          `The job was queued ${after} ago and no builder has begun it: either the builders for ` +
          `${code(run.system)} are overloaded or the job was lost. ${late}\n\n${again}`,
      };
    case "no-news":
      return {
        title: `No news from the builder for ${after}`,
        summary: `A builder began this ${after} ago and has not sent a result: it may be gone. ` +
          `${late}\n\n${again}`,
      };
  }
}
