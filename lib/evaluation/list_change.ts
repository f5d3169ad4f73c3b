/** What a branch changes in the project list, and whether its builds go by it. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { Project } from "../config/config.ts";
import { type UsableList, usableList } from "../projects/projects.ts";
import type { BranchFacts } from "./branch_facts.ts";

/** What a branch changes in the list. */
export interface ListChange {
  /** The merged list, where all of it is right. */
  readonly merged: UsableList | undefined;
  /** Names of projects whose entries are new, other than they were, and gone; in the lists' order. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Those of them that are built in another way than before, the new ones too. */
  readonly redefined: readonly string[];
}

/** Undefined where the branch leaves the list as it is, or nobody knows. */
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

/** Whether a project is built in another way than before, if it was there before. */
export function isRedefined(project: Project, before: Project | undefined): boolean {
  return before === undefined || !isDeepStrictEqual(buildOf(project), buildOf(before));
}

/** All that says how a project is built. */
function buildOf({ labels: _labels, depends_on: _needs, ...build }: Project) {
  return build;
}
