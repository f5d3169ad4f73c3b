/**
 * Parses commands in comments (`docs/protocol.md`, "Commands in comments"). Pure.
 *
 *     @tickbot build cmark neozip on aarch64-linux
 *     @tickbot test cmark @tickbot eval
 *
 * `on` followed only by systems chooses where to build; otherwise it is a project's name, which keeps commands
 * of the Rust bot working.
 */
import { nearest } from "../text/nearest.ts";
import { isSystem, type System } from "../messages/systems.ts";
import { visibleLines } from "./visible_lines.ts";

export type Command =
  | {
    readonly kind: "build" | "test";
    /** As written; they may not exist. */
    readonly projects: readonly string[];
    /** All allowed ones when empty. */
    readonly systems: readonly System[];
  }
  | { readonly kind: "eval" }
  | { readonly kind: "cancel" }
  /** A request for help, or a command that could not be parsed, with the reason in `problem`. */
  | { readonly kind: "help"; readonly problem?: string };

/** Maximum commands per comment; later ones are ignored. */
export const MAX_COMMANDS = 20;

/** Maximum projects in all commands of one comment; a command that exceeds it is not followed. */
export const MAX_NAMED_PROJECTS = 50;

/** The command words. */
export const COMMAND_WORDS = ["build", "test", "eval", "cancel", "help"] as const;

/** Finds the commands to `handle` in a comment, in their order. */
export function parseCommands(comment: string, handle: string): Command[] {
  const wanted = normalHandle(handle);
  const commands: Command[] = [];
  const named = new Set<string>();
  if (!comment.toLowerCase().includes(wanted)) return [];
  for (const line of visibleLines(comment)) {
    for (const segment of segments(line, wanted)) {
      if (commands.length === MAX_COMMANDS) return commands;
      commands.push(bounded(parseCommand(segment), named));
    }
  }
  return commands;
}

/** The handle in lower case with its `@`, which the configuration may leave out. */
function normalHandle(handle: string): string {
  return `@${handle.replace(/^@/, "").toLowerCase()}`;
}

/** Blanks and separators, which no name contains. */
const SEPARATORS = /[\s,;\uff0c\u3001\uff1b]+/;
/** Characters at the end of a word: punctuation and invisible ones. */
const ENDING = /[.:!?\u2026\u3002\uff1a\uff01\uff1f\p{Cf}]/u;

/** The words after each handle, in a line that begins with one. */
function segments(line: string, handle: string): string[][] {
  const found: string[][] = [];
  const text = line.replace(/^[\s\p{Cf}]+/u, "");
  if (!text.toLowerCase().startsWith(handle)) return found;
  for (const word of text.split(SEPARATORS).flatMap((word) => apart(word, handle))) {
    if (word.toLowerCase() === handle) found.push([]);
    else if (word !== "") found.at(-1)?.push(word);
  }
  return found;
}

/** A word without its ending; splits the handle from a word after its colon. */
function apart(word: string, handle: string): string[] {
  const text = withoutEnding(word.replace(/^\p{Cf}+/u, ""));
  const colon = /[:\uff1a]/.exec(text)?.index ?? -1;
  const addressed = text.slice(0, colon).toLowerCase() === handle;
  return colon > 0 && addressed ? [text.slice(0, colon), text.slice(colon + 1)] : [text];
}

/** A loop, because a pattern with `+$` would take quadratic time. */
function withoutEnding(word: string): string {
  let end = word.length;
  while (end > 0 && ENDING.test(word[end - 1]!)) end--;
  return word.slice(0, end);
}

function parseCommand([word, ...rest]: readonly string[]): Command {
  switch (word) {
    case undefined:
      return { kind: "help", problem: "The command is missing" };
    case "build":
    case "test":
      return parseBuild(word, rest);
    case "eval":
    case "cancel":
    case "help":
      return { kind: word };
    default: {
      const near = nearest(word, COMMAND_WORDS, 1)[0];
      const hint = near ? `; did you mean ${near}?` : "";
      return { kind: "help", problem: `There is no command ${quoted(word)}${hint}` };
    }
  }
}

function parseBuild(kind: "build" | "test", words: readonly string[]): Command {
  const on = words.lastIndexOf("on");
  const places = on < 0 ? [] : words.slice(on + 1);
  const chosen = places.length > 0 && places.every(isSystem);
  const projects = [...new Set(chosen ? words.slice(0, on) : words)];
  if (projects.length === 0) {
    return { kind: "help", problem: `Name the projects to ${kind}` };
  }
  return { kind, projects, systems: chosen ? [...new Set(places.filter(isSystem))] : [] };
}

/** Refuses a command that names too many projects together with the previous ones. */
function bounded(command: Command, named: Set<string>): Command {
  if (command.kind !== "build" && command.kind !== "test") return command;
  const all = named.union(new Set(command.projects));
  if (all.size > MAX_NAMED_PROJECTS) {
    const most = `One comment can name at most ${MAX_NAMED_PROJECTS} projects`;
    return { kind: "help", problem: `${most}, so not every command is followed` };
  }
  all.forEach((name) => named.add(name));
  return command;
}

/** A word of a comment as code in an answer: shortened, without anything that could end the code. */
export function quoted(word: string): string {
  const clean = word.slice(0, 60).replaceAll(/[`\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").toWellFormed();
  return `\`${clean === "" ? "?" : clean}\``;
}
