/** Parses a command's arguments the same way everywhere: strict, with one clear line for a mistake. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { UsageError } from "../lib/common/errors.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Parses arguments by `node:util`'s rules; unknown options and missing values are UsageErrors. */
function parse<O extends Options>(args: string[], options: O, allowPositionals: boolean) {
  try {
    return parseArgs({ args, options, allowPositionals, strict: true });
  } catch (error) {
    const message = (error as Error).message.split(". ")[0]!.replace(/\.$/, "");
    throw new UsageError(message, { cause: error });
  }
}

/** The values of options. */
export type Values<O extends Options> = ReturnType<typeof parse<O>>["values"];

/** What runs a command: resolves to the exit code, and throws a UsageError for wrong arguments. */
export type Run = (args: string[]) => Promise<number>;

/** What a command is called with. */
interface Usage<O extends Options> {
  /** What `--help` prints. */
  readonly help: string;
  readonly options: O;
  /** Whether it takes words beside its options. */
  readonly words?: boolean;
}

/** A command: prints its help if `--help` asks for it, else does its work. */
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
