/** Strict argument parsing for every command. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { UsageError } from "../lib/common/errors.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Parses like `node:util`. Throws a one-line UsageError for an unknown option or a missing value. */
function parse<O extends Options>(args: string[], options: O, allowPositionals: boolean) {
  try {
    return parseArgs({ args, options, allowPositionals, strict: true });
  } catch (error) {
    const message = (error as Error).message.split(". ")[0]!.replace(/\.$/, "");
    throw new UsageError(message, { cause: error });
  }
}

/** The parsed values of options. */
export type Values<O extends Options> = ReturnType<typeof parse<O>>["values"];

/** Runs a command. Resolves to the exit code; throws a UsageError for wrong arguments. */
export type Run = (args: string[]) => Promise<number>;

interface Usage<O extends Options> {
  /** What `--help` prints. */
  readonly help: string;
  readonly options: O;
  /** Whether it accepts positional arguments. */
  readonly words?: boolean;
}

/** Makes a command: with `--help` it prints its help, otherwise it calls `work`. */
export function command<O extends Options>(
  { help, options, words = false }: Usage<O>,
  work: (values: Values<O>, words: string[]) => Promise<number> | number,
): Run {
  const all = { ...options, help: { type: "boolean", short: "h" } } as const;
  return async (args) => {
    const { values, positionals } = parse(args, all, words);
    if (!("help" in values)) return await work(values as Values<O>, positionals);
    console.log(help);
    return 0;
  };
}
