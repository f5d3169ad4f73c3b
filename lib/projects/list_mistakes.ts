/** Mistakes of a project list that its schema cannot see, and that need no look at the repository. Pure. */
import type { Project } from "../config/config.ts";
import { shortened } from "../text/utf8.ts";
import type { Mistake } from "./list_text.ts";
import { patternMistake } from "./patterns.ts";
import type { LabelRule } from "../config/project.ts";

/** What is looked at. */
export interface ListParts {
  readonly projects: readonly Project[];
  readonly labels: readonly LabelRule[];
}

/** Every mistake. */
export function listMistakes({ projects, labels }: ListParts): Mistake[] {
  return [
    ...sameNames(projects),
    ...samePaths(projects),
    ...selfDependences(projects),
    ...cycles(projects),
    ...doubles(projects),
    ...sameLabels(labels),
    ...tooManyPatterns(labels) ?? labels.flatMap(ruleMistakes),
  ];
}

/** Patterns of all labels that are looked at: each costs a look at the tree. */
const MOST_PATTERNS = 5_000;

function tooManyPatterns(labels: readonly LabelRule[]): Mistake[] | undefined {
  const count = labels.reduce((sum, { paths }) => sum + paths.length, 0);
  if (count <= MOST_PATTERNS) return undefined;
  return [{ path: ["labels"], text: `labels: ${count} patterns, at most ${MOST_PATTERNS}` }];
}

/** GitHub and file systems take names that differ in case alone for one. */
function sameNames(projects: readonly Project[]): Mistake[] {
  return repeated(projects.map(({ name }) => name)).map(({ index, text, first }) => ({
    path: ["projects", index, "name"],
    text: `the name ${text} differs from ${first} in case alone`,
  }));
}

function samePaths(projects: readonly Project[]): Mistake[] {
  return repeated(projects.map(({ path }) => path)).map(({ index, firstIndex, text, first }) => ({
    path: ["projects", index, "path"],
    text: text === first
      ? `the path ${shortened(text)} is that of ${projects[firstIndex]!.name} too`
      : `the path ${shortened(text)} differs from ${shortened(first)} in case alone`,
  }));
}

function selfDependences(projects: readonly Project[]): Mistake[] {
  return projects.flatMap(({ name, depends_on }, index) =>
    depends_on.includes(name)
      ? [{
        path: ["projects", index, "depends_on", depends_on.indexOf(name)],
        text: `${name} depends on itself`,
      }]
      : []
  );
}

/**
 * One mistake a cycle; of cycles that share projects some are told after the others are mended. Takes away
 * what depends on nothing until only cycles and what depends on them are left.
 */
function cycles(projects: readonly Project[]): Mistake[] {
  const left = new Map(projects.map((project, index) => [project.name, { project, index }]));
  const needs = new Map(
    projects.map(({ name, depends_on }) =>
      [name, new Set(depends_on.filter((needed) => needed !== name && left.has(needed)))] as const
    ),
  );
  const dependants = new Map<string, string[]>();
  for (const [name, needed] of needs) {
    for (const each of needed) {
      if (!dependants.get(each)?.push(name)) dependants.set(each, [name]);
    }
  }
  const free = [...needs].filter(([, needed]) => needed.size === 0).map(([name]) => name);
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    left.delete(name);
    for (const dependant of dependants.get(name) ?? []) {
      needs.get(dependant)!.delete(name);
      if (needs.get(dependant)!.size === 0) free.push(dependant);
    }
  }
  return walked([...left.keys()], needs).map((cycle) => {
    const { project, index } = left.get(cycle[0]!)!;
    const next = cycle[1] ?? cycle[0]!;
    const shown = [...cycle.slice(0, 10), ...(cycle.length > 10 ? ["…"] : []), cycle[0]!];
    return {
      path: ["projects", index, "depends_on", project.depends_on.indexOf(next)],
      text: `a dependency cycle: ${shown.join(" → ")}`,
    };
  });
}

/** Follows the first dependence of each until one comes again. */
function walked(names: readonly string[], needs: ReadonlyMap<string, Set<string>>): string[][] {
  const seen = new Set<string>();
  const found: string[][] = [];
  for (const start of names) {
    const way = new Map<string, number>();
    let name = start;
    while (!seen.has(name)) {
      seen.add(name);
      way.set(name, way.size);
      name = needs.get(name)!.values().next().value!;
    }
    const from = way.get(name);
    if (from !== undefined) found.push([...way.keys()].slice(from));
  }
  return found;
}

const LISTED = ["depends_on", "systems", "labels"] as const;

function doubles(projects: readonly Project[]): Mistake[] {
  return projects.flatMap((project, index) =>
    LISTED.flatMap((key) =>
      repeated(project[key] ?? [], (text) => text).map((double) => ({
        path: ["projects", index, key, double.index],
        text: `${key} names ${shortened(double.text)} twice`,
      }))
    )
  );
}

function sameLabels(labels: readonly LabelRule[]): Mistake[] {
  return repeated(labels.map(({ name }) => name)).map(({ index, text }) => ({
    path: ["labels", index, "name"],
    text: `the label ${shortened(text)} has a rule already; put its paths and titles into one`,
  }));
}

function ruleMistakes({ name, paths, titles }: LabelRule, index: number): Mistake[] {
  const at = (...rest: PropertyKey[]) => ["labels", index, ...rest];
  if (paths.length === 0 && titles.length === 0) {
    return [{ path: at(), text: `${shortened(name)} has neither paths nor titles` }];
  }
  const unusable = paths.flatMap((pattern, position) => {
    const text = patternMistake(pattern);
    return text === undefined ? [] : [{ path: at("paths", position), text }];
  });
  const double = repeated(paths, (text) => text).map(({ index: position, text }) => ({
    path: at("paths", position),
    text: `the pattern ${JSON.stringify(shortened(text))} stands twice`,
  }));
  const unsayable = titles.flatMap((title, position) =>
    /^[^\s()|,]+$/.test(title) ? [] : [{
      path: at("titles", position),
      text: `${JSON.stringify(shortened(title))} is no type or scope of a title, such as fix or ui`,
    }]
  );
  return [...unusable, ...double, ...unsayable];
}

interface Repeated {
  readonly index: number;
  readonly text: string;
  /** The first that is alike. */
  readonly first: string;
  readonly firstIndex: number;
}

/** Of some texts, those that an earlier one is like. */
function repeated(
  texts: readonly string[],
  key = (text: string) => text.toLowerCase(),
): Repeated[] {
  const firsts = new Map<string, number>();
  return texts.flatMap((text, index) => {
    const firstIndex = firsts.get(key(text));
    if (firstIndex === undefined) {
      firsts.set(key(text), index);
      return [];
    }
    return [{ index, text, first: texts[firstIndex]!, firstIndex }];
  });
}
