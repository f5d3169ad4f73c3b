/** Paths in build output, made readable for people. Pure. */

/**
 * Removes a job's folder from the paths in a line; its checkout becomes `.`. Only builds without a
 * sandbox see that folder, under one of the names in `roots`.
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

/** Paths in error messages that the sandbox hides from builds; the machine may have them. */
export class HiddenPaths {
  readonly #hides: (path: string) => boolean;
  readonly #found = new Set<string>();

  constructor(hides: (path: string) => boolean) {
    this.#hides = hides;
  }

  see(lines: readonly string[]): void {
    for (const line of lines) {
      if (this.#found.size >= MAX_PLACES) return;
      if (!MISSING.test(line)) continue;
      for (const [place] of line.matchAll(DATA)) if (this.#hides(place)) this.#found.add(place);
    }
  }

  /** What a person must do about each path. */
  advice(): string[] {
    return [...this.#found].slice(0, MAX_PLACES).map((place) =>
      `The sandbox hides ${place} from builds: if it has no secret, the builder's operator can add ` +
      "it to builder.read_only_paths"
    );
  }
}

const MAX_PLACES = 3;
const MISSING =
  /no such file|not found|not exist|can(no|')t (open|find|read|load|access)|(unable|fail(ed|ure)?) (to )?(open|find|read|load|access|stat)|missing/i;
const DATA = /(?<![\w.)/-])\/(?:etc|srv|var\/(?:lib|cache|opt))\/[\w+-][\w.+-]*/g;
