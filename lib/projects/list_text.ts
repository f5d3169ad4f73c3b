/** The text of a project list, and where in it things stand, so that a mistake is told with its place. */
import {
  findNodeAtLocation,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { decodeText } from "../messages/codec.ts";
import { plain } from "../report/markdown.ts";
import { doubleKeys } from "../text/double_keys.ts";
import { shortened } from "../text/utf8.ts";

/** A mistake in a list. */
export interface Mistake {
  /** The keys and indexes that lead to it in the list's form with `projects`; empty for the whole file. */
  readonly path: readonly PropertyKey[];
  readonly text: string;
  /** Where it stands in the text, if that is known without its path. */
  readonly offset?: number;
}

/** Mistakes that are told one by one. */
const MAX_TOLD = 100;
/** Characters of one mistake. */
const MAX_CHARACTERS = 600;

/** A file that is no JSON: what is wrong, and where if that is known. */
export class NotJson extends Error {
  override name = "NotJson";
}

/** A list's JSON. */
export class ListText {
  /** What the file holds. */
  readonly value: unknown;
  readonly #text: string;
  #root: Node | undefined | "unknown" = "unknown";
  #lineStarts: number[] | undefined;

  /** Throws a {@link NotJson}. A byte order mark at the beginning is skipped. */
  constructor(file: Uint8Array) {
    try {
      this.#text = decodeText(file);
    } catch {
      throw new NotJson("not UTF-8");
    }
    try {
      this.value = JSON.parse(this.#text);
    } catch {
      throw new NotJson(this.#syntaxError());
    }
  }

  /** The mistakes as lines, in the order in which they stand in the file; at most {@link MAX_TOLD} of them. */
  tell(mistakes: readonly Mistake[]): string[] {
    const told = mistakes.slice(0, 2 * MAX_TOLD)
      .map((mistake) => ({ mistake, offset: mistake.offset ?? this.#offset(mistake.path) }))
      .sort((one, other) => one.offset - other.offset)
      .slice(0, MAX_TOLD)
      .map(({ mistake, offset }) => {
        const subject = subjectOf(mistake.path, this.value);
        return oneLine(`${this.#place(offset)}${subject}: ${mistake.text}`);
      });
    return withRest(told, mistakes.length);
  }

  /** Keys that stand twice in one object. */
  doubleKeys(): Mistake[] {
    return doubleKeys(this.#parsed(), MAX_TOLD)
      .map((found) => ({ ...found, path: inProjects(found.path, this.value) }));
  }

  /** Undefined where the file is nested too deep to be looked at. */
  #parsed(): Node | undefined {
    if (this.#root === "unknown") {
      try {
        this.#root = parseTree(this.#text);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this.#root = undefined;
      }
    }
    return this.#root;
  }

  /** Where a value begins, or what holds it where it is missing. */
  #offset(path: readonly PropertyKey[]): number {
    const root = this.#parsed();
    if (!root) return 0;
    const whole = Array.isArray(this.value) ? path.slice(1) : path;
    for (let length = whole.length; length > 0; length--) {
      const node = findNodeAtLocation(root, whole.slice(0, length) as (string | number)[]);
      if (node) return node.offset;
    }
    return root.offset;
  }

  #place(offset: number): string {
    this.#lineStarts ??= [0, ...[...this.#text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    const after = this.#lineStarts.findIndex((start) => start > offset);
    const line = after < 0 ? this.#lineStarts.length : after;
    return `line ${line}, column ${offset - this.#lineStarts[line - 1]! + 1}`;
  }

  #syntaxError(): string {
    const errors: ParseError[] = [];
    try {
      parseTree(this.#text, errors, { disallowComments: true });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return "not JSON: it is nested too deep";
    }
    const [first] = errors;
    if (!first) return "not JSON";
    const offset = trailingComma(this.#text, first) ?? first.offset;
    const what = offset === first.offset
      ? SYNTAX[printParseErrorCode(first.error)]
      : "a comma with nothing after it";
    return `${this.#place(offset)}: not JSON: ${what ?? "an unexpected character"}`;
  }
}

/** The path in the form with `projects` of a path in the file's own form. */
export function inProjects(path: readonly PropertyKey[], value: unknown): PropertyKey[] {
  return Array.isArray(value) ? ["projects", ...path] : [...path];
}

/** The mistakes of the configuration's list as lines: places in its file say nothing to who reads them. */
export function tellWithoutPlace(mistakes: readonly Mistake[], value: unknown): string[] {
  const told = mistakes.slice(0, MAX_TOLD).map(({ path, text }) =>
    oneLine(`the configuration${subjectOf(path, value)}: ${text}`)
  );
  return withRest(told, mistakes.length);
}

/** Whose mistake it is: a project's or a label's. */
function subjectOf([kind, index]: readonly PropertyKey[], value: unknown): string {
  if (typeof index !== "number") return "";
  const items = Array.isArray(value) ? value : (value as Record<PropertyKey, unknown>)?.[kind!];
  const name = (items as { name?: unknown }[] | undefined)?.[index]?.name;
  const noun = kind === "labels" ? "label" : "project";
  return typeof name === "string" ? `, ${noun} ${shortened(name, 100)}` : "";
}

function withRest(told: string[], count: number): string[] {
  const rest = count - told.length;
  return rest > 0 ? [...told, `and ${rest} more`] : told;
}

function oneLine(text: string): string {
  return plain(text, MAX_CHARACTERS);
}

/** The comma before an end that follows it at once; undefined where there is none. */
function trailingComma(text: string, { error, offset }: ParseError): number | undefined {
  if (!["PropertyNameExpected", "ValueExpected"].includes(printParseErrorCode(error))) {
    return undefined;
  }
  let at = offset - 1;
  while (at >= 0 && " \t\r\n".includes(text[at]!)) at--;
  return text[at] === "," ? at : undefined;
}

const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: "an unexpected word; texts and keys stand in double quotes",
  InvalidNumberFormat: "a number that is not written as JSON writes it",
  PropertyNameExpected: "expected a key in double quotes",
  ValueExpected: "expected a value",
  ColonExpected: "expected a colon",
  CommaExpected: "expected a comma",
  CloseBraceExpected: "expected a closing }",
  CloseBracketExpected: "expected a closing ]",
  EndOfFileExpected: "expected the end of the file",
  InvalidCommentToken: "a comment, which JSON does not have",
  UnexpectedEndOfComment: "a comment, which JSON does not have",
  UnexpectedEndOfString: "a text without its closing quote",
  UnexpectedEndOfNumber: "a number that breaks off",
  InvalidUnicode: "an escape \\u without four hexadecimal digits",
  InvalidEscapeCharacter: "a backslash before what it cannot escape in JSON",
  InvalidCharacter: "a control character in a text",
};
