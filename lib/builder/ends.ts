/** How a job's projects end without being built, in words for people. Pure. */
import type { Project } from "../config/config.ts";
import { nearest } from "../text/nearest.ts";
import type { ProjectList } from "../projects/projects.ts";
import type { EarlyEnd } from "./checkout/checkout.ts";
import { DISK_FULL } from "./sandbox/full_disk.ts";
import type { ProjectResult } from "./result.ts";

/** The end of a project, whichever it is. */
export type ProjectEnd = Omit<ProjectResult, "project" | "output">;

/** The disk was full where no step could tell. */
export const DISK_FULL_END = {
  status: "UnexpectedError",
  reason: `Cannot build: ${DISK_FULL}`,
} as const satisfies ProjectEnd;

/** What git's server says of the job's commits leaves nothing to build. */
export function earlyEnd({ status, reason }: EarlyEnd): ProjectEnd {
  if (status === "Skipped") return { status: "Cancelled", reason, step: "checkout" };
  return { status: status === "Failure" ? "Failure" : "UnexpectedError", reason, step: "checkout" };
}

/** There is no list to take a project from. */
export function withoutList(list: Exclude<ProjectList, { kind: "list" }>): ProjectEnd {
  const reason = list.kind === "missing"
    ? "Cannot build: the repository lists no projects; add a .tickborg.json to the target branch"
    : `Cannot build: .tickborg.json of the target branch: ${list.reason}`;
  return { status: "Failure", reason };
}

/** The list names no such project. */
export function unknownProject(name: string, projects: readonly Project[]): ProjectEnd {
  const names = projects.map(({ name }) => name);
  const near = nearest(name, names);
  const meant = near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : "";
  const shown = names.slice(0, 50).join(", ") + (names.length > 50 ? ", …" : "");
  return {
    status: "Unknown",
    reason: `Cannot build ${name}: the target branch lists no such project.${meant} ` +
      `There are: ${shown || "none"}`,
  };
}

/** The project is not for this builder's system. */
export function leftOut(project: Project, system: string): ProjectEnd {
  const systems = project.systems!.join(", ") || "none";
  return {
    status: "Left out",
    reason: `${project.name} is not built for ${system}; its systems are: ${systems}`,
  };
}
