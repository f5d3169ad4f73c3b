/**
 * Git as the person runs it who called us: with their settings, credentials and keys. Only what must reach
 * the clone's own remote runs so; everything else runs as `lib/git/git.ts` does it.
 */
import { cutText, safeLine } from "../../lib/builder/log/lines.ts";
import { feed, kill, withoutLogins } from "../../lib/git/git.ts";

/** How to run it. */
export interface OwnGitOptions {
  /** A folder of the clone. */
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** What it reads; nothing when absent. */
  readonly stdin?: string;
  /** Milliseconds after which it is ended. Git then cannot ask anything at the terminal either. */
  readonly timeoutMs?: number;
  /** Whether what it says on standard error goes to ours, as it comes, instead of into the answer. */
  readonly show?: boolean;
}

/** What it answered. */
export interface OwnGitResult {
  readonly ok: boolean;
  readonly out: string;
  /** Why it failed, in its own words on standard error; empty where those were shown. */
  readonly said: string;
}

/** Characters of git's own words: a server may have a say in them. */
const MAX_SAID = 300;

/** What git's hooks set, and names another repository than the one we look at: `git rev-parse --local-env-vars`. */
const OF_ANOTHER_CLONE = [
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_CONFIG",
  "GIT_DIR",
  "GIT_GRAFT_FILE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_SHALLOW_FILE",
  "GIT_WORK_TREE",
];

/** Runs it. Throws the signal's reason when that aborts. */
export async function ownGit(args: readonly string[], options: OwnGitOptions) {
  const { cwd, signal, timeoutMs, show = false } = options;
  signal.throwIfAborted();
  const child = new Deno.Command("git", {
    args: [...args],
    cwd,
    clearEnv: true,
    env: environment(timeoutMs === undefined),
    stdin: "piped",
    stdout: "piped",
    stderr: show ? "inherit" : "piped",
    detached: timeoutMs !== undefined,
  }).spawn();
  const end = () => kill(child, "SIGTERM");
  const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
  signal.addEventListener("abort", end, { once: true });
  try {
    const [, out, said, { success }] = await Promise.all([
      feed(child, options.stdin ?? ""),
      new Response(child.stdout).text(),
      show ? "" : new Response(child.stderr).text(),
      child.status,
    ]);
    signal.throwIfAborted();
    return { ok: success, out, said: why(said) } satisfies OwnGitResult;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

function environment(mayAsk: boolean): Record<string, string> {
  const entries = Object.entries(Deno.env.toObject());
  return {
    ...Object.fromEntries(entries.filter(([name]) => !OF_ANOTHER_CLONE.includes(name))),
    GIT_OPTIONAL_LOCKS: "0",
    ...(!mayAsk && { GIT_TERMINAL_PROMPT: "0" }),
  };
}

/** Why it ended, without user names and passwords of addresses; the last line where it does not say. */
function why(text: string): string {
  const lines = text.trim().split("\n");
  const fatal = lines.find((line) => line.startsWith("fatal: "))?.slice("fatal: ".length);
  const line = fatal ?? lines.at(-1)!;
  return cutText(safeLine(withoutLogins(line)), MAX_SAID);
}
