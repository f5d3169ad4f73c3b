/** A branch's changes to the project list. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Project } from "../config/config.ts";
import { type UsableList, usableList } from "../projects/projects.ts";
import type { BranchFacts } from "./branch_facts.ts";

export interface ListChange {
  /** The merged list, if it has no mistakes. */
  readonly merged: UsableList | undefined;
  /** Projects with new, changed and removed entries, in the lists' order. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Projects that are new or are built differently. */
  readonly redefined: readonly string[];
}

/** Undefined if the branch does not change the list, or that is unknown. */
export function listChangeOf({ list, merged }: BranchFacts): ListChange | undefined {
  if (!merged?.changed) return undefined;
  const after = usableList(merged.list);
  const [old, now] = [list, after].map((it) => it.kind === "list" ? it.projects : []);
  const before = new Map(old!.map((project) => [project.name, project]));
  const kept = new Set(now!.map(({ name }) => name));
  const names = (projects: readonly Project[]) => projects.map(({ name }) => name);
  const added = names(now!.filter(({ name }) => !before.has(name)));
  const others = now!.filter((project) =>
    before.has(project.name) && !isDeepStrictEqual(project, before.get(project.name))
  );
  const rebuilt = others.filter((project) => isRedefined(project, before.get(project.name)));
  const sound = after.kind === "list" && merged.mistakes.length === 0;
  return {
    merged: sound ? after : undefined,
    added,
    changed: names(others),
    removed: names(old!.filter(({ name }) => !kept.has(name))),
    redefined: [...added, ...names(rebuilt)],
  };
}

/** Whether a project is new or is built differently. */
export function isRedefined(project: Project, before: Project | undefined): boolean {
  return before === undefined || !isDeepStrictEqual(buildOf(project), buildOf(before));
}

/** The part of an entry that decides the build. */
function buildOf({ labels: _labels, depends_on: _needs, ...build }: Project) {
  return build;
}
