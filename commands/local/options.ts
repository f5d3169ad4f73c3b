/** The options of `tickborg local`. */
import type { Values } from "../arguments.ts";
import { UsageError } from "../../lib/common/errors.ts";
import type { Config } from "../../lib/config/config.ts";
import type { Screen } from "./screen.ts";

/** The help text. */
export const HELP = `Builds a branch as the bot would, without GitHub or a broker

Usage: tickborg local [options] [PROJECT…]

  --repo PATH    the repository (default: .)
  --base REF     what to merge the branch into (default: the default branch of upstream, else of origin)
  --head REF     the branch (default: HEAD)
  --uncommitted  also build uncommitted changes: changed files, and new ones that are not ignored
  --build        build without tests
  --test         build and test (default: as "test" in the project list says)
  --dry-run      only show what would be done
  --keep         keep the merged tree and the build results, and show where
  --json         only a JSON report on standard output
  --config FILE  a Tickborg configuration: projects, systems, timeouts, sandbox
  --no-sandbox   run the commands without bubblewrap
  --jobs N       parallel commands in a build (default: the number of processors)
  --help         this text

It merges HEAD into BASE in a temporary folder (the repository's branches, index and files stay
unchanged), shows which projects the branch touches and why, the labels and the exact commands, and
builds. Each command works at the root of a checkout. Named projects are built even if the branch does
not touch them. Uncommitted changes are built only with --uncommitted. A partial clone fetches missing
objects.
Exit codes:
  0    everything succeeded, or there was nothing to build
  1    something failed, or the branch cannot be built: a conflict, a mistake in .tickborg.json
  2    wrong arguments or configuration, or an incomplete clone (shallow, without a commit)
  130  stopped by Ctrl-C; 143 by SIGTERM; 141 because the pipe was closed, as by head
`;

/** The options of the command line. */
export const OPTIONS = {
  "repo": { type: "string", default: "." },
  "base": { type: "string" },
  "head": { type: "string", default: "HEAD" },
  "uncommitted": { type: "boolean", default: false },
  "build": { type: "boolean", default: false },
  "test": { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false },
  "keep": { type: "boolean", default: false },
  "json": { type: "boolean", default: false },
  "config": { type: "string" },
  "no-sandbox": { type: "boolean", default: false },
  "jobs": { type: "string" },
} as const;

/** The parsed options. */
export type LocalOptions = Readonly<ReturnType<typeof understood>>;

/** Checks the values. Throws a UsageError. */
export function understood(values: Values<typeof OPTIONS>, projects: readonly string[]) {
  if (values.build && values.test) {
    throw new UsageError("--build and --test exclude each other: --test builds too");
  }
  if (values.uncommitted && values.head !== "HEAD") {
    throw new UsageError("--uncommitted and --head exclude each other: the work tree is HEAD's");
  }
  return {
    ...values,
    /** Undefined if the project list decides. */
    test: values.build || values.test ? values.test : undefined,
    dryRun: values["dry-run"],
    sandbox: !values["no-sandbox"],
    parallelism: values.jobs === undefined ? navigator.hardwareConcurrency : parseJobs(values.jobs),
    projects: [...new Set(projects)],
  };
}

function parseJobs(text: string): number {
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= 1_024) return jobs;
  throw new UsageError(`--jobs: expected an integer from 1 to 1024, found ${JSON.stringify(text)}`);
}

/** What every part of a run needs. */
export interface Session {
  readonly options: LocalOptions;
  readonly config: Config | undefined;
  readonly screen: Screen;
  /** A temporary folder. */
  readonly folder: string;
  /** Aborts when the run must end. */
  readonly signal: AbortSignal;
}
