/** The report of a check run that was given up. */
import { code, duration, plain } from "./markdown.ts";
import type { Addresses, Report } from "./parts.ts";

/** Why a check run was given up, and after how many seconds. */
export interface GivenUp {
  readonly reason: "no-builder" | "not-started" | "no-result";
  readonly seconds: number;
}

export function givenUpReport(
  { project, system }: { project: string; system: string },
  { reason, seconds }: GivenUp,
  { handle }: Addresses,
): Report {
  const after = duration(seconds);
  const again =
    `To build again, comment ${code(`${handle} build ${project}`)} on the pull request, ` +
    "or push.";
  const late = "If a builder still starts this job, its result replaces this message.";
  switch (reason) {
    case "no-builder":
      return {
        title: `No builder serves ${plain(system, 50)}`,
        summary: `The job waited for ${after} and no builder for ${code(system)} is connected. ` +
          "Ask the operator of the builders to start one, or remove the system from the project's " +
          `\`systems\`. ${late}\n\n${again}`,
      };
    case "not-started":
      return {
        title: `Not started within ${after}`,
        summary:
          `The job was queued ${after} ago and no builder has started it: either the builders for ` +
          `${code(system)} are overloaded or the job was lost. ${late}\n\n${again}`,
      };
    case "no-result":
      return {
        title: `No update from the builder for ${after}`,
        summary: `A builder started this ${after} ago and has not sent a result: it may be gone. ` +
          `${late}\n\n${again}`,
      };
  }
}
