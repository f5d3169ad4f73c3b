/** The text of a project list, to report mistakes with line and column. */
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
  /** Keys and indexes, in the list's form with `projects`; empty for the whole file. */
  readonly path: readonly PropertyKey[];
  readonly text: string;
  /** Its position in the text, if known without the path. */
  readonly offset?: number;
}

/** Maximum mistakes to list. */
const MAX_TOLD = 100;
/** Characters of one mistake. */
const MAX_CHARACTERS = 600;

/** The file is not JSON; the message has the fault and, if known, its place. */
export class NotJson extends Error {
  override name = "NotJson";
}

/** A list's JSON. */
export class ListText {
  /** The parsed JSON. */
  readonly value: unknown;
  readonly #text: string;
  #root: Node | undefined | "unknown" = "unknown";
  #lineStarts: number[] | undefined;

  /** Throws a {@link NotJson}. Skips a byte order mark. */
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

  /** Formats mistakes as lines, in the order of the file; at most {@link MAX_TOLD} of them. */
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

  /** Duplicate keys in objects. */
  doubleKeys(): Mistake[] {
    return doubleKeys(this.#parsed(), MAX_TOLD)
      .map((found) => ({ ...found, path: inProjects(found.path, this.value) }));
  }

  /** Undefined if the file is nested too deep. */
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

  /** Where a value begins, or its parent if it is missing. */
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

/** Converts a path in the file to the form with `projects`. */
export function inProjects(path: readonly PropertyKey[], value: unknown): PropertyKey[] {
  return Array.isArray(value) ? ["projects", ...path] : [...path];
}

/** The mistakes of the configuration's list as lines, without places in a file that readers lack. */
export function tellWithoutPlace(mistakes: readonly Mistake[], value: unknown): string[] {
  const told = mistakes.slice(0, MAX_TOLD).map(({ path, text }) =>
    oneLine(`the configuration${subjectOf(path, value)}: ${text}`)
  );
  return withRest(told, mistakes.length);
}

/** The project or label with the mistake. */
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

/** The position of a trailing comma; undefined if there is none. */
function trailingComma(text: string, { error, offset }: ParseError): number | undefined {
  if (!["PropertyNameExpected", "ValueExpected"].includes(printParseErrorCode(error))) {
    return undefined;
  }
  let at = offset - 1;
  while (at >= 0 && " \t\r\n".includes(text[at]!)) at--;
  return text[at] === "," ? at : undefined;
}

const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: "an unexpected word; put strings and keys in double quotes",
  InvalidNumberFormat: "a number in an invalid format",
  PropertyNameExpected: "expected a key in double quotes",
  ValueExpected: "expected a value",
  ColonExpected: "expected a colon",
  CommaExpected: "expected a comma",
  CloseBraceExpected: "expected a closing }",
  CloseBracketExpected: "expected a closing ]",
  EndOfFileExpected: "expected the end of the file",
  InvalidCommentToken: "a comment, which JSON does not have",
  UnexpectedEndOfComment: "a comment, which JSON does not have",
  UnexpectedEndOfString: "a string without its closing quote",
  UnexpectedEndOfNumber: "an incomplete number",
  InvalidUnicode: "an escape \\u without four hexadecimal digits",
  InvalidEscapeCharacter: "an invalid escape after a backslash",
  InvalidCharacter: "a control character in a string",
};
