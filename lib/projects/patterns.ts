/**
 * Path patterns of label rules. No regular expression: paths are a stranger's, and one of many stars would
 * take hours on a path made for it. Nothing is allocated while matching: paths may be a hundred thousand.
 */

/** Tells whether a pattern matches a path, given as its names; of a folder, whose last name is empty, whether it may match below. */
export type PathMatcher = (names: readonly string[]) => boolean;

/** Compiles a pattern: `docs` and `docs/` match what is below, `*` part of a name, `**` any folders. */
export function compilePattern(pattern: string): PathMatcher {
  const parts = pattern.replace(/\/$/, "").split("/");
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

/** Matches a name against a pattern's part: the texts between its stars, each as early as it can be. */
function nameMatcher(part: string): NameMatcher {
  const texts = part.split("*");
  if (texts.length === 1) return (name) => name === part;
  const [first, last, middle] = [texts[0]!, texts.at(-1)!, texts.slice(1, -1)];
  return (name) => {
    if (!name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const text of middle) {
      const found = name.indexOf(text, at);
      if (found < 0) return false;
      at = found + text.length;
    }
    return at <= name.length - last.length;
  };
}
