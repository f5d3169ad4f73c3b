/** What `tickborg local` was asked to do. */
import { parseArguments } from "../arguments.ts";
import { UsageError } from "../../lib/errors.ts";

/** The help text. */
export const HELP = `Does for a branch what the bot would do, without GitHub and without a broker

Usage: tickborg local [options] [PROJECT…]

  --repo PATH    the repository; . when absent
  --base REF     what the branch is merged into; the default branch when absent
  --head REF     the branch; HEAD when absent
  --build        build (the default)
  --test         build and run the tests
  --dry-run      only show what would be done
  --json         a report on standard output and nothing else there
  --config FILE  a Tickborg configuration: projects, systems, time-outs, sandbox
  --no-sandbox   run the commands without bubblewrap
  --jobs N       commands a build runs at once; the number of processors when absent
  --help         this text

It merges HEAD into BASE in a folder of its own (nothing in the repository changes), shows which projects
the branch touches and why, the labels and the exact commands, then builds. Projects that are named are
built whether they are touched or not. Uncommitted changes are not built.
Exit code 0 when everything succeeded, 1 when something failed, 2 for wrong arguments.
`;

/** The options, understood. */
export interface LocalOptions {
  readonly help: boolean;
  readonly repo: string;
  readonly base: string | undefined;
  readonly head: string;
  readonly test: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly config: string | undefined;
  readonly sandbox: boolean;
  readonly jobs: number;
  readonly projects: readonly string[];
}

/** Parses the arguments. Throws a UsageError. */
export function parseLocalOptions(args: string[]): LocalOptions {
  const { values, positionals } = parseArguments({
    args,
    allowPositionals: true,
    strict: true,
    options: {
      "repo": { type: "string", default: "." },
      "base": { type: "string" },
      "head": { type: "string", default: "HEAD" },
      "build": { type: "boolean", default: false },
      "test": { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      "json": { type: "boolean", default: false },
      "config": { type: "string" },
      "no-sandbox": { type: "boolean", default: false },
      "jobs": { type: "string" },
      "help": { type: "boolean", short: "h", default: false },
    },
  });
  if (values.build && values.test) {
    throw new UsageError("--build and --test exclude each other: --test builds too");
  }
  return {
    help: values.help,
    repo: values.repo,
    base: values.base,
    head: values.head,
    test: values.test,
    dryRun: values["dry-run"],
    json: values.json,
    config: values.config,
    sandbox: !values["no-sandbox"],
    jobs: values.jobs === undefined ? navigator.hardwareConcurrency : parseJobs(values.jobs),
    projects: [...new Set(positionals)],
  };
}

function parseJobs(text: string): number {
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 1_024) return jobs;
  throw new UsageError(`--jobs takes a whole number from 1 to 1024, found ${JSON.stringify(text)}`);
}
