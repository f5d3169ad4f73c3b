/** Strict argument parsing for every command. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { UsageError } from "../lib/common/errors.ts";

/** Parses like `node:util`. Throws a one-line UsageError for an unknown option or a missing value. */
export function parseArguments<T extends ParseArgsConfig>(config: T) {
  try {
    return parseArgs(config);
  } catch (error) {
    const message = (error as Error).message.split(". ")[0]!.replace(/\.$/, "");
    throw new UsageError(message, { cause: error });
  }
}

/** Parses the arguments of a command that has only options. */
export function parseOptions<O extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: O,
) {
  return parseArguments({ args, options, allowPositionals: false, strict: true }).values;
}
