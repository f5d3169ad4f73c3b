/** A real git repository as the monorepo: a work tree to commit in, and its upstream. */
import { dirname, join } from "node:path";
import type { Project } from "../lib/config/config.ts";
import { type GitServer, startGitServer } from "./git_server.ts";

/** Files by path; `undefined` deletes a file. */
export type Files = Readonly<Record<string, string | undefined>>;

/** What a project list needs; the rest has defaults. */
export type ProjectInput = Pick<Project, "name" | "path" | "build_system"> & Partial<Project>;

/** The monorepo and the server that serves it. */
export interface Monorepo {
  readonly owner: string;
  readonly name: string;
  /** `owner/name`. */
  readonly fullName: string;
  /** The `clone_url` in messages. */
  readonly cloneUrl: string;
  /** The bare upstream repository. */
  readonly upstream: string;
  /** A clone of it with a work tree. */
  readonly workTree: string;
  /** Sets whether the server answers. */
  serverUp: boolean;
  /** What serves the repositories. */
  readonly server: GitServer;
  /**
   * Commits files on a branch, new from `from` (default `main`), pushes; resolves to the commit.
   */
  commit(branch: string, files: Files, options?: CommitOptions): Promise<string>;
  /** Moves `refs/pull/<n>/head`, as GitHub does when a pull request is opened or pushed. */
  setPullHead(number: number, sha: string): Promise<void>;
  /** Runs git in the upstream repository and resolves to what it printed, trimmed. */
  git(...args: string[]): Promise<string>;
  close(): Promise<void>;
}

/** Options of a commit. */
export interface CommitOptions {
  readonly message?: string;
  readonly from?: string;
  /** Replaces the branch, as a force push does. */
  readonly force?: boolean;
}

/** Options of a monorepo. */
interface MonorepoOptions {
  readonly files: Files;
  readonly projects?: readonly ProjectInput[];
  readonly owner?: string;
  readonly name?: string;
}

/** Creates a monorepo with these files on `main`, and `.tickborg.json` if projects are given. */
export async function createMonorepo(options: MonorepoOptions): Promise<Monorepo> {
  const root = await Deno.makeTempDir({ prefix: "tickborg-monorepo-" });
  try {
    return await fill(root, options);
  } catch (error) {
    await Deno.remove(root, { recursive: true });
    throw error;
  }
}

async function fill(root: string, options: MonorepoOptions): Promise<Monorepo> {
  const { owner = "project-tick", name = "Project-Tick" } = options;
  const upstream = join(root, "srv", owner, `${name}.git`);
  const workTree = join(root, "work");
  await git(root, "init", "-q", "--bare", "-b", "main", upstream);
  await git(root, "init", "-q", "-b", "main", workTree);
  await git(workTree, "remote", "add", "origin", upstream);
  const server = startGitServer(join(root, "srv"));
  await start(workTree, options);
  return {
    owner,
    name,
    fullName: `${owner}/${name}`,
    server,
    cloneUrl: `${server.url}/${owner}/${name}.git`,
    upstream,
    workTree,
    get serverUp() {
      return server.up;
    },
    set serverUp(up: boolean) {
      server.up = up;
    },
    commit: commitsIn(workTree),
    setPullHead: async (number, sha) => {
      await git(upstream, "update-ref", `refs/pull/${number}/head`, sha);
    },
    git: (...args) => git(upstream, ...args),
    async close() {
      await server.close();
      await Deno.remove(root, { recursive: true });
    },
  };
}

async function start(workTree: string, { projects, files }: MonorepoOptions): Promise<void> {
  const list = projects === undefined
    ? {}
    : { ".tickborg.json": `${JSON.stringify({ projects }, null, 2)}\n` };
  await writeFiles(workTree, { ...list, ...files });
  await git(workTree, "add", "-A");
  await git(workTree, "commit", "-q", "-m", "Start");
  await git(workTree, "push", "-q", "origin", "main");
}

function commitsIn(workTree: string): Monorepo["commit"] {
  return async (branch, files, how = {}) => {
    const exists = await git(workTree, "branch", "--list", branch) !== "";
    if (!exists || how.force) {
      await git(workTree, "checkout", "-q", "-B", branch, how.from ?? "main");
    } else await git(workTree, "checkout", "-q", branch);
    await writeFiles(workTree, files);
    await git(workTree, "add", "-A");
    await git(workTree, "commit", "-q", "--allow-empty", "-m", how.message ?? `Change ${branch}`);
    await git(workTree, "push", "-q", "-f", "origin", branch);
    return await git(workTree, "rev-parse", "HEAD");
  };
}

async function writeFiles(root: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, path);
    if (content === undefined) {
      await Deno.remove(target);
      continue;
    }
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.writeTextFile(target, content, { mode: path.endsWith(".sh") ? 0o755 : 0o644 });
  }
}

const AUTHOR = [
  "-c",
  "user.name=Ada",
  "-c",
  "user.email=ada@example.com",
  "-c",
  "commit.gpgsign=false",
];

async function git(cwd: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: [...AUTHOR, "-c", "init.defaultBranch=main", ...args],
    cwd,
    env: { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" },
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot run git ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout).trim();
}
