/**
 * Path patterns of label rules, as .gitignore, CODEOWNERS and labeler.yml have them. No regular expression:
 * paths are a stranger's, and one of many stars would take hours on a path made for it. Nothing is allocated
 * while matching: paths may be a hundred thousand.
 */
import { shortened } from "../text/utf8.ts";

/** Tells whether a pattern matches a path, given as its names; of a folder, whose last name is empty, whether it may match below. */
export type PathMatcher = (names: readonly string[]) => boolean;

/** Patterns that the braces of one may stand for. */
const MOST_ALTERNATIVES = 64;

/**
 * Compiles patterns, of which one must match: `docs` and `docs/` match what is below, `*` part of a name, `**`
 * any folders, `?` one character, `[a-z]` one of some, `{a,b}` either. A pattern that
 * {@link patternMistake} refuses matches nothing. Those that begin with a whole name cost nothing elsewhere.
 */
export function compilePatterns(patterns: readonly string[]): PathMatcher {
  const anywhere: PathMatcher[] = [];
  const byFirst = new Map<string, PathMatcher[]>();
  const understood = patterns.filter((pattern) => patternMistake(pattern) === undefined);
  for (const parts of understood.flatMap(alternativesOf).map(partsOf)) {
    const match = compileParts(parts);
    const first = parts[0]!;
    if (WILD.test(first)) anywhere.push(match);
    else if (!byFirst.get(first)?.push(match)) byFirst.set(first, [match]);
  }
  return (names) => {
    for (const match of byFirst.get(names[0]!) ?? []) if (match(names)) return true;
    for (const match of anywhere) if (match(names)) return true;
    return false;
  };
}

const WILD = /[*?[]/;

/** What no path can match, or what the language lacks; undefined for a pattern that is understood. */
export function patternMistake(pattern: string): string | undefined {
  const shown = shortened(pattern);
  const wrong = (what: string) => `the pattern ${JSON.stringify(shown)} ${what}`;
  if (pattern.trim() !== pattern) return wrong("begins or ends with a blank");
  if (pattern.startsWith("!")) return wrong("begins with `!`: nothing can be excluded");
  if (pattern.includes("\\")) return wrong("has a backslash: folders are parted by `/`");
  if (pattern.includes("\0")) return wrong("has a NUL character");
  if (/\{[^}]*\{/.test(pattern)) return wrong("has braces inside braces");
  if (/\[[^\]/]*\[:/.test(pattern)) {
    return wrong("has `[:` inside brackets: characters have no classes with names");
  }
  const alternatives = alternativesOf(pattern);
  if (alternatives.length > MOST_ALTERNATIVES) {
    return wrong(`has braces that stand for more than ${MOST_ALTERNATIVES} patterns`);
  }
  for (const alternative of alternatives) {
    const parts = partsOf(alternative);
    if (parts.length === 0) return wrong("names no path");
    if (parts.includes("..")) return wrong("has `..`, which no path in the repository has");
    const mixed = parts.find((part) => part.includes("**") && part !== "**");
    if (mixed !== undefined) return wrong("has `**` inside a name: it stands for whole folders");
  }
  return undefined;
}

/** The paths of which one must be in the tree for a pattern to match anything, as far as it has no wildcards. */
export function fixedPaths(pattern: string): string[] {
  return alternativesOf(pattern).map((alternative) => {
    const parts = partsOf(alternative);
    const wild = parts.findIndex((part) => WILD.test(part));
    return parts.slice(0, wild < 0 ? undefined : wild).join("/");
  });
}

/** The names of a pattern without what says nothing: `/docs/`, `./docs` and `docs` are one. */
function partsOf(pattern: string): string[] {
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  // `**.md` is what gitignore writes for a file in any folder.
  return parts.flatMap((part) =>
    /^\*\*+[^*]/.test(part) ? ["**", part.replace(/^\*+/, "*")] : part
  );
}

/** The patterns that braces stand for; a little more than {@link MOST_ALTERNATIVES} where there are more. */
function alternativesOf(pattern: string): string[] {
  let all = [""];
  for (const text of pattern.split(/(\{[^{}]*\})/)) {
    const choices = /^\{.*,.*\}$/s.test(text) ? text.slice(1, -1).split(",") : [text];
    all = all.flatMap((start) => choices.map((choice) => start + choice))
      .slice(0, MOST_ALTERNATIVES + 1);
  }
  return all;
}

function compileParts(parts: readonly string[]): PathMatcher {
  const runs = runsOf(parts);
  // `docs/**` is what is in the folder, not a file of that name.
  const below = parts.at(-1) === "**";
  return (names) => {
    if (names.at(-1) === "" && leadsInto(runs, names.length - 1, names)) return true;
    let end = 0;
    for (const [index, run] of runs.entries()) {
      const found = index === 0 ? startsAt(run, names, 0) ? 0 : -1 : find(run, names, end);
      if (found < 0) return false;
      end = found + run.length;
    }
    return !below || names.length > Math.max(end, 1);
  };
}

type NameMatcher = (name: string) => boolean;

/** The parts between the `**`: the first run stands at the beginning, the others anywhere behind. */
function runsOf(parts: readonly string[]): NameMatcher[][] {
  const runs: NameMatcher[][] = [[]];
  for (const part of parts) {
    if (part === "**") runs.push([]);
    else runs.at(-1)!.push(nameMatcher(part));
  }
  return runs;
}

/** Whether a pattern whose beginning is no `**` may match something in a folder of so many names. */
function leadsInto([first, ...more]: NameMatcher[][], depth: number, names: readonly string[]) {
  if (first!.length <= depth) {
    return first!.length > 0 && more.length > 0 && startsAt(first!, names, 0);
  }
  return startsAt(first!.slice(0, depth), names, 0);
}

/** Where a run matches first, from a name on; -1 where nowhere. Earliest leaves the others most room. */
function find(run: readonly NameMatcher[], names: readonly string[], from: number): number {
  for (let at = from; at + run.length <= names.length; at++) {
    if (startsAt(run, names, at)) return at;
  }
  return -1;
}

function startsAt(run: readonly NameMatcher[], names: readonly string[], at: number): boolean {
  if (at + run.length > names.length) return false;
  for (let index = 0; index < run.length; index++) {
    if (!run[index]!(names[at + index]!)) return false;
  }
  return true;
}

/** What one character of a name is compared with. */
type Token = "star" | ((character: string) => boolean);

/** Goes back to the last star alone, so that a name costs no more than its length times the part's. */
function nameMatcher(part: string): NameMatcher {
  if (!WILD.test(part)) return (name) => name === part;
  const tokens = tokensOf(part);
  const [before] = part.split(WILD, 1) as [string];
  const behind = /[^*?\]]*$/.exec(part)![0];
  return (name) => {
    // Folders are called `[id]` too.
    if (name === part) return true;
    if (!name.startsWith(before) || !name.endsWith(behind)) return false;
    let [at, token, star, starAt] = [0, 0, -1, 0];
    while (at < name.length) {
      const wanted = tokens[token];
      if (wanted === "star") [star, starAt, token] = [token, at, token + 1];
      else if (wanted?.(name[at]!)) [at, token] = [at + 1, token + 1];
      else if (star >= 0) [starAt, at, token] = [starAt + 1, starAt + 1, star + 1];
      else return false;
    }
    while (tokens[token] === "star") token++;
    return token === tokens.length;
  };
}

function tokensOf(part: string): Token[] {
  const texts = part.match(/\[[!^]?\]?[^\]]*\]|[^]/g) ?? [];
  return texts.map((text): Token => {
    if (text === "*") return "star";
    if (text === "?") return () => true;
    return text.length > 1 ? oneOf(text.slice(1, -1)) : (character) => character === text;
  });
}

/** What stands between brackets: characters and ranges, the others where `!` or `^` is first. */
function oneOf(inside: string): (character: string) => boolean {
  const others = /^[!^]/.test(inside);
  const ranges = inside.slice(others ? 1 : 0).match(/[^]-[^]|[^]/g) ?? [];
  return (character) =>
    ranges.some((range) => character >= range[0]! && character <= range.at(-1)!) !== others;
}
