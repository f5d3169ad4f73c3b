/** What people read of a build that has not ended. */
import { code, plain } from "./markdown.ts";
import {
  type Addresses,
  baseText,
  buildLogLink,
  howToChange,
  pushText,
  type Report,
} from "./parts.ts";
import { type BuildSubject, isPush } from "./subject.ts";

/** The state of a system's queue when a report is written; undefined fields are not known. */
export interface BuildQueueState {
  readonly waiting?: number | undefined;
  readonly builders?: number | undefined;
}

/** A build that waits for a builder. */
export function queuedReport(
  subject: BuildSubject,
  queue: BuildQueueState,
  addresses: Addresses,
): Report {
  const how = howToChange(subject, addresses);
  if (queue.builders === 0) {
    return {
      title: `Waiting: no builder is connected for ${plain(subject.system, 50)}`,
      summary:
        `No builder for ${code(subject.system)} is connected at the moment. The build starts ` +
        "by itself as soon as one is. If none comes, this check fails and says so." + `\n\n${how}`,
    };
  }
  return { title: waitingTitle(subject, queue), summary: `${nextStep(subject)}\n\n${how}` };
}

function waitingTitle({ system }: BuildSubject, { waiting = 0 }: BuildQueueState): string {
  const before = Math.max(0, waiting - 1);
  const ahead = before === 0 ? "" : `, about ${before} ${before === 1 ? "job" : "jobs"} ahead`;
  return `Waiting for a builder on ${plain(system, 50)}${ahead}`;
}

function nextStep(subject: BuildSubject): string {
  const { project, system, test } = subject;
  const builds = test ? "builds and tests" : "builds";
  const work = isPush(subject)
    ? `${builds} the project ${pushText(subject)}`
    : `merges the change into ${baseText(subject)} and ${builds} the project`;
  return `${code(project)} is queued for ${code(system)}. Next, a builder ${work}; ` +
    "this check then shows who builds it and links to the live log.";
}

/** A build that runs. */
export function startedReport(
  subject: BuildSubject,
  started: { identity: string; attemptId: string },
  addresses: Addresses,
): Report {
  const link = buildLogLink(subject, started.attemptId, addresses);
  return {
    title: `${subject.test ? "Building and testing" : "Building"} on ${
      plain(started.identity, 100)
    }`,
    summary: [
      `Builder ${code(started.identity, 200)} is at work on ${code(subject.project)} for ` +
      `${code(subject.system)}, ${
        isPush(subject) ? pushText(subject) : `merged into ${baseText(subject)}`
      }.`,
      ...(link === undefined ? [] : [`[Live log](${link})`]),
      howToChange(subject, addresses),
    ].join("\n\n"),
  };
}
