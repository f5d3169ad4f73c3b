/** Which labels a pull request should carry, and what to change to get there. Pure. */
import type { Project } from "../config/config.ts";
import { type LabelRule, parseConventional, touchedProjects } from "./projects.ts";

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
  for (const rule of rules) {
    const byTitle = rule.titles.some((word) => words.has(word.toLowerCase()));
    if (byTitle || matchesAny(rule.paths, files)) labels.add(rule.name);
  }
  return [...labels].sort();
}

function titleWords(title: string): Set<string> {
  const parsed = parseConventional(title);
  return new Set([parsed?.type ?? "", ...(parsed?.scopes ?? [])].map((word) => word.toLowerCase()));
}

function matchesAny(patterns: readonly string[], files: readonly string[]): boolean {
  const matchers = patterns.map(compilePattern);
  return matchers.length > 0 && files.some((file) => {
    const names = file.split("/");
    return matchers.some((matches) => matches(names));
  });
}

/**
 * `docs` and `docs/` match what is below, `*` part of a name, `**` any number of folders. No regular
 * expression: paths are a stranger's, and one of many stars would take hours on a path made for it.
 */
function compilePattern(pattern: string): (names: readonly string[]) => boolean {
  const parts = pattern.replace(/\/$/, "").split("/");
  const matchers = parts.map((part) => part === "**" ? undefined : nameMatcher(part));
  return (names) => {
    // Numbers of names that the parts so far may have matched.
    let ends = new Set([0]);
    for (const [index, matches] of matchers.entries()) {
      if (ends.size === 0) return false;
      if (matches) {
        const on = [...ends].filter((end) => end < names.length && matches(names[end]!));
        ends = new Set(on.map((end) => end + 1));
        continue;
      }
      // Any folders more, and at the pattern's end something below one.
      const first = Math.min(...ends);
      const least = index === matchers.length - 1 ? Math.max(first, 1) : first;
      ends = new Set(
        Array.from({ length: Math.max(0, names.length - least) }, (_, at) => least + at),
      );
    }
    return ends.size > 0;
  };
}

/** Matches a name against a pattern's part: the texts between its stars, each as early as it can be. */
function nameMatcher(part: string): (name: string) => boolean {
  const texts = part.split("*");
  const [first, last] = [texts[0]!, texts.at(-1)!];
  if (texts.length === 1) return (name) => name === part;
  return (name) => {
    if (!name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const text of texts.slice(1, -1)) {
      const found = name.indexOf(text, at);
      if (found < 0) return false;
      at = found + text.length;
    }
    return at <= name.length - last.length;
  };
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
