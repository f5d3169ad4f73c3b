/** What people read of a check run that nobody brought to an end. */
import { code, duration, plain } from "./markdown.ts";
import type { Addresses, Report } from "./parts.ts";

/** Why a check run was given up, and after how many seconds. */
export interface GivenUp {
  readonly reason: "no-builder" | "not-started" | "no-result";
  readonly seconds: number;
}

/** A check run that nobody brings to an end. */
export function givenUpReport(
  { project, system }: { project: string; system: string },
  { reason, seconds }: GivenUp,
  { handle }: Addresses,
): Report {
  const after = duration(seconds);
  const again =
    `To build again, comment ${code(`${handle} build ${project}`)} on the pull request, ` +
    "or push.";
  const late = "Should a builder still take this job, its result replaces this message.";
  switch (reason) {
    case "no-builder":
      return {
        title: `No builder serves ${plain(system, 50)}`,
        summary: `The job waited for ${after} and no builder for ${code(system)} is connected. ` +
          "Ask whoever runs the builders to start one, or take the system out of the project's " +
          `\`systems\`. ${late}\n\n${again}`,
      };
    case "not-started":
      return {
        title: `Not started within ${after}`,
        summary:
          `The job was queued ${after} ago and no builder has begun it: either the builders for ` +
          `${code(system)} are overloaded or the job was lost. ${late}\n\n${again}`,
      };
    case "no-result":
      return {
        title: `No news from the builder for ${after}`,
        summary: `A builder began this ${after} ago and has not sent a result: it may be gone. ` +
          `${late}\n\n${again}`,
      };
  }
}
