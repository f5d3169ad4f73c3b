/** The reports of builds that have not ended. */
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

/** The state of a system's queue at the time of the report; undefined fields are unknown. */
export interface BuildQueueState {
  readonly waiting?: number | undefined;
  readonly builders?: number | undefined;
}

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
        `No builder for ${code(subject.system)} is connected. The build starts automatically ` +
        "when one connects. If none does, this check fails." + `\n\n${how}`,
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
    "this check then names the builder and links to the live log.";
}

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
      `Builder ${code(started.identity, 200)} is building ${code(subject.project)} for ` +
      `${code(subject.system)}, ${
        isPush(subject) ? pushText(subject) : `merged into ${baseText(subject)}`
      }.`,
      ...(link === undefined ? [] : [`[Live log](${link})`]),
      howToChange(subject, addresses),
    ].join("\n\n"),
  };
}
