/**
 * Reads the commands that people write in comments (`docs/protocol.md`, "Commands in comments"). Pure.
 *
 *     @tickbot build cmark neozip on aarch64-linux
 *     @tickbot test cmark @tickbot eval
 *
 * `on` followed by nothing but systems chooses where to build; anywhere else it is a project's name as any
 * other word, so that no command of the old bot changes its meaning.
 */
import { nearest } from "../text/nearest.ts";
import { isSystem, type System } from "../messages/systems.ts";
import { visibleLines } from "./visible_lines.ts";

/** What somebody asks for. */
export type Command =
  | {
    readonly kind: "build" | "test";
    /** As written; whether they exist is not known here. */
    readonly projects: readonly string[];
    /** All that may be used when empty. */
    readonly systems: readonly System[];
  }
  | { readonly kind: "eval" }
  | { readonly kind: "cancel" }
  /** Asked for, or the answer to what could not be understood, which `problem` then says. */
  | { readonly kind: "help"; readonly problem?: string };

/** Commands read of one comment; what stands behind them is not looked at. */
export const MAX_COMMANDS = 20;

/** Projects that all commands of one comment may name together; a command that names more is not done. */
export const MAX_NAMED_PROJECTS = 50;

/** The command words. */
export const COMMAND_WORDS = ["build", "test", "eval", "cancel", "help"] as const;

/** Finds the commands addressed to `handle` (with its `@`) in a comment, in their order. */
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

/** Blanks, and what people put between words that no name can hold. */
const SEPARATORS = /[\s,;\uff0c\u3001\uff1b]+/;
/** What people end a word with: punctuation, or a character that is not seen. */
const ENDING = /[.:!?\u2026\u3002\uff1a\uff01\uff1f\p{Cf}]/u;

/** The words behind each handle of a line that begins with one, up to the next. */
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

/** A word without what it ends with; the handle and a word behind its colon are two. */
function apart(word: string, handle: string): string[] {
  const text = withoutEnding(word.replace(/^\p{Cf}+/u, ""));
  const colon = /[:\uff1a]/.exec(text)?.index ?? -1;
  const addressed = text.slice(0, colon).toLowerCase() === handle;
  return colon > 0 && addressed ? [text.slice(0, colon), text.slice(colon + 1)] : [text];
}

/** One character after the other: a pattern with `+$` costs the square of what it looks at. */
function withoutEnding(word: string): string {
  let end = word.length;
  while (end > 0 && ENDING.test(word[end - 1]!)) end--;
  return word.slice(0, end);
}

function parseCommand([word, ...rest]: readonly string[]): Command {
  switch (word) {
    case undefined:
      return { kind: "help", problem: "No command was given" };
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

/** A command, if the names it adds to those before it are not too many. */
function bounded(command: Command, named: Set<string>): Command {
  if (command.kind !== "build" && command.kind !== "test") return command;
  const all = named.union(new Set(command.projects));
  if (all.size > MAX_NAMED_PROJECTS) {
    const most = `One comment can name at most ${MAX_NAMED_PROJECTS} projects`;
    return { kind: "help", problem: `${most}, so not all of it is done` };
  }
  all.forEach((name) => named.add(name));
  return command;
}

/** A word of a comment as code in an answer: cut, and with nothing that ends the code or pings anyone. */
export function quoted(word: string): string {
  const clean = word.slice(0, 60).replaceAll(/[`\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").toWellFormed();
  return `\`${clean === "" ? "?" : clean}\``;
}
