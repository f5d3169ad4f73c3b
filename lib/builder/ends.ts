/** The ends of projects that are not built, with reasons for people to read. Pure. */
import type { Project } from "../config/config.ts";
import { nearest } from "../text/nearest.ts";
import type { ProjectList } from "../projects/projects.ts";
import type { EarlyEnd } from "./checkout/checkout.ts";
import { DISK_FULL } from "./sandbox/full_disk.ts";
import type { ProjectResult } from "./result.ts";

/** How a project ends. */
export type ProjectEnd = Omit<ProjectResult, "project" | "output">;

/** The disk was full outside any step. */
export const DISK_FULL_END = {
  status: "UnexpectedError",
  reason: `Cannot build: ${DISK_FULL}`,
} as const satisfies ProjectEnd;

/** There is nothing to build because of what the git server says about the commits. */
export function earlyEnd({ status, reason }: EarlyEnd): ProjectEnd {
  if (status === "Skipped") return { status: "Cancelled", reason, step: "checkout" };
  return { status: status === "Failure" ? "Failure" : "UnexpectedError", reason, step: "checkout" };
}

/** The target branch has no valid project list. */
export function withoutList(list: Exclude<ProjectList, { kind: "list" }>): ProjectEnd {
  const reason = list.kind === "missing"
    ? "Cannot build: the repository lists no projects; add a .tickborg.json to the target branch"
    : `Cannot build: .tickborg.json of the target branch: ${list.reason}`;
  return { status: "Failure", reason };
}

/** The project list has no project of this name. */
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
