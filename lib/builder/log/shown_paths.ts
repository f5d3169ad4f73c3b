/** Paths in what builds print, as people read them. Pure. */

/**
 * Takes a job's own folder out of a line: its checkout becomes `.`, the rest of it is named from there. Only
 * builds without a sandbox see that folder; `roots` are the names under which they may.
 */
export function shownPaths(roots: readonly string[]): (line: string) => string {
  const names = [...new Set(roots.flatMap((root) => [root, root.replaceAll("\\", "/")]))]
    .sort((one, other) => other.length - one.length)
    .map((root) => root.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  const tree = new RegExp(`(?:${names})[/\\\\]tree(?:[/\\\\](?=[^\\s'"\`:;,)])|(?![\\w.-]))`, "g");
  const rest = new RegExp(`(?:${names})[/\\\\]`, "g");
  return (line) =>
    line.replaceAll(tree, (found) => /tree[/\\]$/.test(found) ? "" : ".").replaceAll(rest, "");
}

/** Paths that some lines name and that builds do not see although the machine may have them. */
export class HiddenPaths {
  readonly #hides: (path: string) => boolean;
  readonly #found = new Set<string>();

  constructor(hides: (path: string) => boolean) {
    this.#hides = hides;
  }

  /** Takes the next lines. */
  see(lines: readonly string[]): void {
    for (const line of lines) {
      if (this.#found.size >= MAX_PLACES) return;
      if (!MISSING.test(line)) continue;
      for (const [place] of line.matchAll(DATA)) if (this.#hides(place)) this.#found.add(place);
    }
  }

  /** What a person must do about them; none where there are none. */
  advice(): string[] {
    return [...this.#found].slice(0, MAX_PLACES).map((place) =>
      `The sandbox shows builds no ${place}: if it holds no secret, the builder's owner can add it to ` +
      "builder.read_only_paths"
    );
  }
}

const MAX_PLACES = 3;
const MISSING =
  /no such file|not found|not exist|can(no|')t (open|find|read|load|access)|(unable|fail(ed|ure)?) (to )?(open|find|read|load|access|stat)|missing/i;
const DATA = /(?<![\w.)/-])\/(?:etc|srv|var\/(?:lib|cache|opt))\/[\w+-][\w.+-]*/g;
