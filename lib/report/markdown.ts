/**
 * Puts untrusted text into GitHub's Markdown: always in code spans or code blocks, which it cannot
 * break out of, and in which GitHub renders no HTML, links or mentions.
 */

/** ANSI escape sequences (ECMA-48): colours, cursor movements, titles. */
// deno-lint-ignore no-control-regex
const ANSI = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g;

/** Control characters, and those that are invisible or change the direction of text. */
// deno-lint-ignore no-control-regex
const INVISIBLE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A text without ANSI escape sequences. */
export function withoutEscapes(text: string): string {
  return text.replace(ANSI, "");
}

/** One line without escape sequences, control characters and line ends, at most `max` characters. */
export function plain(text: string, max = 500): string {
  const clean = text.slice(0, max * 4).replace(ANSI, "").replace(/[\r\n\t\u2028\u2029]+/g, " ")
    .replace(INVISIBLE, "").toWellFormed();
  return clean.length > max ? `${clean.slice(0, max - 1).toWellFormed()}…` : clean;
}

/** A code span with the literal text. */
export function code(text: string, max = 500): string {
  const shown = plain(text, max);
  if (shown === "") return "`(empty)`";
  const fence = "`".repeat(longestRun(shown) + 1);
  const padded = /^[`\s]|[`\s]$/.test(shown) ? ` ${shown} ` : shown;
  return `${fence}${padded}${fence}`;
}

/** A code block whose fence is longer than any run of backticks in it. */
export function codeBlock(text: string, language = ""): string {
  const clean = text.replace(ANSI, "").replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(INVISIBLE, "").toWellFormed();
  const fence = "`".repeat(Math.max(3, longestRun(clean) + 1));
  return `${fence}${language}\n${clean}\n${fence}`;
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}

/** The last lines of a log: at most `lines` of them, each cut to `width`, together at most `total`. */
export function lastLines(
  output: readonly string[],
  { lines = 100, width = 1_000, total = 30_000 } = {},
): string {
  const kept: string[] = [];
  let room = total;
  for (const line of output.slice(-lines).reverse()) {
    const cut = line.length > width ? `${line.slice(0, width)}…` : line;
    room -= cut.length + 1;
    if (room < 0) break;
    kept.unshift(cut);
  }
  return kept.join("\n");
}

/** A duration for people: `41 s`, `2 min 3 s`, `1 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (seconds < 10 && seconds !== whole) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) {
    return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  const minutes = Math.round(whole / 60);
  return minutes % 60 === 0
    ? `${minutes / 60} h`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
