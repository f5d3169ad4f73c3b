/** Parses a command's arguments the same way everywhere: strict, with one clear line for a mistake. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { UsageError } from "../lib/common/errors.ts";

/** Parses arguments by `node:util`'s rules; unknown options and missing values are UsageErrors. */
export function parseArguments<T extends ParseArgsConfig>(config: T) {
  try {
    return parseArgs(config);
  } catch (error) {
    const message = (error as Error).message.split(". ")[0]!.replace(/\.$/, "");
    throw new UsageError(message, { cause: error });
  }
}

/** Parses the arguments of a command that takes options only. */
export function parseOptions<O extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: O,
) {
  return parseArguments({ args, options, allowPositionals: false, strict: true }).values;
}
