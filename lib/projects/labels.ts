/** Which labels a pull request should carry, and what to change to get there. Pure. */
import type { Project } from "../config/config.ts";
import { compilePatterns } from "./patterns.ts";
import type { LabelRule } from "../config/project.ts";
import { parseConventional, touchedProjects } from "./projects.ts";

/** What labels are decided from. */
export interface LabelFacts {
  readonly title: string;
  readonly files: readonly string[];
  readonly projects: readonly Project[];
  readonly rules: readonly LabelRule[];
}

/** Labels by the paths touched and by the title's type and scopes, without doubles, in alphabetical order. */
export function wantedLabels({ title, files, projects, rules }: LabelFacts): string[] {
  const words = titleWords(title);
  const labels = new Set<string>();
  const { projects: touched } = touchedProjects({ files, subjects: [title] }, projects);
  for (const { project, because } of touched) {
    // What merely depends on a change is rebuilt, but the change is not about it.
    if (because !== "dependency") project.labels.forEach((label) => labels.add(label));
  }
  const byTitle = ({ titles }: LabelRule) => titles.some((word) => words.has(word.toLowerCase()));
  rules.filter(byTitle).forEach(({ name }) => labels.add(name));
  labelsByPath(rules.filter((rule) => !byTitle(rule)), files).forEach((name) => labels.add(name));
  return [...labels].sort();
}

/** Looks at each file once, and at a rule no more once it has matched: files may be a hundred thousand. */
function labelsByPath(rules: readonly LabelRule[], files: readonly string[]): string[] {
  const all = rules.map(({ name, paths }) => ({ name, match: compilePatterns(paths) }));
  let open = all;
  for (const file of files) {
    if (open.length === 0) break;
    const names = file.split("/");
    if (open.some(({ match }) => match(names))) open = open.filter(({ match }) => !match(names));
  }
  return all.filter((rule) => !open.includes(rule)).map(({ name }) => name);
}

/** Whether two titles ask for the same labels, whatever the rules. */
export function labelsAlike(title: string, other: string): boolean {
  return titleWords(title).symmetricDifference(titleWords(other)).size === 0;
}

function titleWords(title: string): Set<string> {
  const parsed = parseConventional(title);
  return new Set([parsed?.type ?? "", ...(parsed?.scopes ?? [])].map((word) => word.toLowerCase()));
}

/** What must change on a pull request. */
export interface LabelChanges {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** What decides {@link labelChanges}. GitHub takes label names that differ in case alone for one. */
export interface LabelState {
  readonly wanted: readonly string[];
  readonly present: readonly string[];
  /** Labels that the App itself put on; no other is ever removed. */
  readonly ours: readonly string[];
}

/** The labels to add and the stale ones of ours to remove; people's own are left alone. */
export function labelChanges({ wanted, present, ours }: LabelState): LabelChanges {
  const lower = (labels: readonly string[]) => new Set(labels.map((label) => label.toLowerCase()));
  const [isWanted, isPresent, isOurs] = [lower(wanted), lower(present), lower(ours)];
  return {
    add: wanted.filter((label) => !isPresent.has(label.toLowerCase())),
    remove: present.filter((label) =>
      isOurs.has(label.toLowerCase()) && !isWanted.has(label.toLowerCase())
    ),
  };
}
