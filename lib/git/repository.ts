/** Questions to a repository that need no work tree. Every commit is a full hash, every path is as git holds it. */
import { MissingFromGit, readFault } from "./faults.ts";
import {
  git,
  GitFailure,
  type GitOptions,
  GitOutputTooLarge,
  type GitResult,
  splitNul,
} from "./git.ts";
import { checkSha, readTags, type Tag } from "./names.ts";
import { attributesOf } from "./merge_attributes.ts";

/** What came of merging two commits. */
export type Merge =
  | { readonly kind: "clean"; readonly tree: string }
  | { readonly kind: "conflict"; readonly paths: readonly string[] }
  /** The two have no commit in common, so that nothing can be merged. */
  | { readonly kind: "unrelated" };

/**
 * A tree has more files than any project, or lies deeper: a few objects can stand for billions of files,
 * and git would take memory for each of them.
 */
export class TreeTooLarge extends Error {
  override name = "TreeTooLarge";
}

/** Bytes of a tree's list; an entry has 53 and its path. */
const MAX_TREE_BYTES = 256 * 1024 * 1024;
/** Bytes of an entry, its path among them: no file system takes longer ones (PATH_MAX). */
const MAX_ENTRY_BYTES = 53 + 4_096;

/** A repository on this machine, read only except for new objects. */
export class GitRepository {
  readonly gitDir: string;
  readonly #options: GitOptions;

  /** `options` hold for every call, for example a signal or an object folder of its own in `env`. */
  constructor(gitDir: string, options: GitOptions = {}) {
    this.gitDir = gitDir;
    this.#options = { ...options, gitDir };
  }

  /** A folder that git may write to and that holds no file of the repository's. */
  get scratch(): string {
    return this.#options.env?.GIT_OBJECT_DIRECTORY ?? `${this.gitDir}/objects`;
  }

  /** Runs git on this repository; see `git.ts`. */
  run(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
    const env = { ...this.#options.env, ...options.env };
    return git(args, { ...this.#options, ...options, env });
  }

  /** The commit that a branch, tag or hash stands for; undefined where it stands for none. */
  async resolve(revision: string): Promise<string | undefined> {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
    const result = await this.run(args, { codes: [0, 1, 128] });
    const sha = new TextDecoder().decode(result.stdout).trim();
    return result.code === 0 && sha !== "" ? sha : undefined;
  }

  /** Whether a commit is here. */
  async has(sha: string): Promise<boolean> {
    const result = await this.run(["cat-file", "-e", `${checkSha(sha)}^{commit}`], {
      codes: [0, 1, 128],
    });
    return result.code === 0;
  }

  /**
   * Throws {@link TreeTooLarge} for a commit that cannot be merged, compared or checked out in a memory
   * that can be named: to be asked of a stranger's commit before anything else.
   */
  async checkSize(commit: string): Promise<void> {
    let entry = 0;
    let longest = 0;
    const onStdout = (chunk: Uint8Array) => {
      let start = 0;
      for (let at = chunk.indexOf(0); at >= 0; at = chunk.indexOf(0, start)) {
        longest = Math.max(longest, entry + at - start);
        entry = 0;
        start = at + 1;
      }
      entry += chunk.byteLength - start;
    };
    const args = ["ls-tree", "-r", "-z", "--full-tree", checkSha(commit)];
    try {
      await this.run(args, { maxBytes: MAX_TREE_BYTES, onStdout });
    } catch (error) {
      // Git's own stack ends in a tree of tens of thousands of folders.
      const crashed = error instanceof GitFailure && error.code === 128 + 11;
      if (!crashed && !(error instanceof GitOutputTooLarge)) {
        throw await this.#fault(error, [commit]);
      }
      throw new TreeTooLarge(`Cannot use ${commit}: too many files`, { cause: error });
    }
    if (longest > MAX_ENTRY_BYTES) {
      throw new TreeTooLarge(`Cannot use ${commit}: a path is too long`);
    }
  }

  /**
   * Merges `head` into `base` in memory, by the merge attributes of `base`. Throws {@link MissingFromGit}
   * where a commit is not here.
   */
  async mergeTree(base: string, head: string): Promise<Merge> {
    const args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"];
    let result: GitResult;
    try {
      await using attributes = await attributesOf(this, checkSha(base));
      const options = { ...attributes.options, codes: [0, 1] };
      result = await this.run([...args, base, checkSha(head)], options);
    } catch (error) {
      if (error instanceof GitFailure && /unrelated histories/.test(error.stderr)) {
        return { kind: "unrelated" };
      }
      throw await this.#fault(error, [base, head]);
    }
    const [tree, ...paths] = splitNul(result.stdout);
    // Git ends a merge with a commit it does not have as it ends a conflict, but names no tree.
    if (tree === undefined) {
      throw await this.#fault(new GitFailure("Cannot merge", result), [base, head]);
    }
    if (result.code === 0) return { kind: "clean", tree };
    return { kind: "conflict", paths: [...new Set(paths)].filter((path) => path !== "") };
  }

  /** The best common ancestor; undefined where there is none. */
  async mergeBase(one: string, other: string): Promise<string | undefined> {
    const args = ["merge-base", checkSha(one), checkSha(other)];
    const { code, stdout } = await this.#ask(args, [one, other], { codes: [0, 1] });
    return code === 0 ? new TextDecoder().decode(stdout).trim() : undefined;
  }

  /** Whether `ancestor` is reachable from `descendant`. */
  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    const args = ["merge-base", "--is-ancestor", checkSha(ancestor), checkSha(descendant)];
    return (await this.#ask(args, [ancestor, descendant], { codes: [0, 1] })).code === 0;
  }

  /**
   * Paths that differ between two commits or trees. A renamed file counts with both of its names; the path of
   * a submodule ends in `/`, since anything below it may differ.
   */
  async changedFiles(from: string, to: string): Promise<string[]> {
    const args = ["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff"];
    const { stdout } = await this.#ask(
      [...args, "--no-textconv", "--ignore-submodules=none", checkSha(from), checkSha(to)],
      [],
    );
    const parts = splitNul(stdout);
    const files: string[] = [];
    for (let at = 0; at + 1 < parts.length; at += 2) {
      const isLink = /^:160000 |^:\d+ 160000 /.test(parts[at]!);
      files.push(isLink ? `${parts[at + 1]}/` : parts[at + 1]!);
    }
    return files;
  }

  /** First lines of the messages of the commits in `base..head`, newest first, merges left out. */
  async commitSubjects(base: string, head: string, most = 1_000): Promise<string[]> {
    const args = ["log", "-z", "--no-merges", "--format=%s", "--encoding=UTF-8"];
    const range = [`--max-count=${most}`, `${checkSha(base)}..${checkSha(head)}`];
    const { stdout } = await this.#ask([...args, ...range, "--"], [base, head]);
    return splitNul(stdout);
  }

  /**
   * A file's content at a commit or tree; undefined where there is none, or it is no plain file. Throws a
   * `GitOutputTooLarge` when it has more than `maxBytes`.
   */
  async readFile(
    commit: string,
    path: string,
    maxBytes = 4 << 20,
  ): Promise<Uint8Array | undefined> {
    if (path.startsWith("/") || path.split("/").includes("..")) return undefined;
    const listed = await this.#ask(
      ["ls-tree", "-z", "--full-tree", checkSha(commit), "--", path],
      [commit],
    );
    const entry = /^(\d+) blob ([0-9a-f]+)\t/.exec(splitNul(listed.stdout)[0] ?? "");
    if (!entry || !entry[1]!.startsWith("100")) return undefined;
    return (await this.#ask(["cat-file", "blob", entry[2]!], [commit], { maxBytes })).stdout;
  }

  /** The repository's tags. */
  async tags(): Promise<Tag[]> {
    const format = "%(objectname)%09%(refname)%0a%(*objectname)%09%(refname)^{}";
    const { stdout } = await this.#ask(["for-each-ref", `--format=${format}`, "refs/tags"], []);
    return readTags(new TextDecoder().decode(stdout));
  }

  /** The tags whose objects are here, fetched where that can be. */
  fetchTags(tags: readonly Tag[]): Promise<readonly Tag[]> {
    return Promise.resolve(tags);
  }

  /** Which of these objects are not here. */
  async missing(objects: readonly string[]): Promise<Set<string>> {
    const stdin = objects.map((sha) => `${checkSha(sha)}\n`).join("");
    const { stdout } = await this.#ask(["cat-file", "--batch-check=%(objectname)"], [], { stdin });
    const answers = new TextDecoder().decode(stdout).matchAll(/^(\w+) missing$/gm);
    return new Set([...answers].map(([, sha]) => sha!));
  }

  /** The tree of a commit. */
  async treeOf(commit: string): Promise<string> {
    const { stdout } = await this.#ask(["rev-parse", `${checkSha(commit)}^{tree}`], [commit]);
    return new TextDecoder().decode(stdout).trim();
  }

  /** Runs git and, where it fails, finds out why. */
  async #ask(
    args: readonly string[],
    commits: readonly string[],
    options: GitOptions = {},
  ): Promise<GitResult> {
    try {
      return await this.run(args, options);
    } catch (error) {
      throw await this.#fault(error, commits);
    }
  }

  /** A commit that is not here is told apart from a repository that is damaged. */
  async #fault(error: unknown, commits: readonly string[]): Promise<Error> {
    if (!(error instanceof GitFailure)) return readFault(error);
    for (const sha of commits) {
      if (!await this.has(sha)) return new MissingFromGit("commit", sha, { cause: error });
    }
    return readFault(error);
  }
}
