/** What `tickborg local` was asked to do. */
import type { Values } from "../arguments.ts";
import { UsageError } from "../../lib/common/errors.ts";
import type { Config } from "../../lib/config/config.ts";
import type { Screen } from "./screen.ts";

/** The help text. */
export const HELP = `Does for a branch what the bot would do, without GitHub and without a broker

Usage: tickborg local [options] [PROJECT…]

  --repo PATH    the repository; . when absent
  --base REF     what the branch is merged into; the default branch of upstream, or of origin, when absent
  --head REF     the branch; HEAD when absent
  --uncommitted  build what is in the work tree: changed files, and new ones that are not ignored
  --build        build and run no tests
  --test         build and run the tests; when both are absent, "test" of the project list decides
  --dry-run      only show what would be done
  --keep         leave the merged tree and what was built in it, and say where
  --json         a report on standard output and nothing else there
  --config FILE  a Tickborg configuration: projects, systems, time-outs, sandbox
  --no-sandbox   run the commands without bubblewrap
  --jobs N       commands a build runs at once; the number of processors when absent
  --help         this text

It merges HEAD into BASE in a folder of its own (branches, index and files of the repository stay as they
are), shows which projects the branch touches and why, the labels and the exact commands, then builds.
Each command works at the root of a checkout. Projects that are named are built whether they are touched
or not. What is not committed is built with --uncommitted only. A partial clone fetches what it lacks.
Exit codes:
  0    everything succeeded, or there was nothing to build
  1    something failed, or the branch cannot be built: a conflict, a mistake in .tickborg.json
  2    wrong arguments or configuration, or a clone that cannot tell (shallow, without a commit)
  130  stopped by Ctrl-C; 143 by SIGTERM; 141 because what it wrote was no longer read, as by head
`;

/** The options as they are written. */
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

/** The options, understood. */
export type LocalOptions = Readonly<ReturnType<typeof understood>>;

/** Reads the values. Throws a UsageError. */
export function understood(values: Values<typeof OPTIONS>, projects: readonly string[]) {
  if (values.build && values.test) {
    throw new UsageError("--build and --test exclude each other: --test builds too");
  }
  if (values.uncommitted && values.head !== "HEAD") {
    throw new UsageError("--uncommitted and --head exclude each other: the work tree is HEAD's");
  }
  return {
    ...values,
    /** Undefined where the project list decides. */
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
  throw new UsageError(`--jobs takes a whole number from 1 to 1024, found ${JSON.stringify(text)}`);
}

/** What every part of a run has at hand. */
export interface Session {
  readonly options: LocalOptions;
  readonly config: Config | undefined;
  readonly screen: Screen;
  /** A folder of ours. */
  readonly folder: string;
  /** Aborts when the run is to end. */
  readonly signal: AbortSignal;
}
