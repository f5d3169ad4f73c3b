/** Why a build failed, for the last line that people see. */
import { Tail } from "../../lib/builder/log/lines.ts";

/** Reads a build's lines as they come. */
export interface ErrorFinder {
  push(lines: readonly string[]): void;
  /** The error; undefined if none was recognised. */
  found(): FoundError | undefined;
}

/** An error and its place, as the tool named them. */
export interface FoundError {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
}

/** Finds the last line that is neither blank nor one of the commands, which are shown already. */
export function errorFinder(): ErrorFinder {
  const tail = new Tail(1, 500);
  return {
    push: (lines) => tail.push(lines.filter((line) => line.trim() !== "" && !/^\$ /.test(line))),
    found() {
      const [message] = tail.lines();
      return message === undefined ? undefined : { message: message.trim() };
    },
  };
}

/** One line: the place relative to the checkout, then the message. */
export function describeFound({ file, line, message }: FoundError, tree: string): string {
  const place = file === undefined ? "" : line === undefined ? `${file}: ` : `${file}:${line}: `;
  return `${place}${message}`.replaceAll(`${tree}/`, "");
}
