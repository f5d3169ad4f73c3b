/** Real git repositories in temporary folders, for stories: commit, branch, open a pull request. */
import { git, gitText } from "../../lib/git/git.ts";

/** A repository that stands for GitHub's: branches under `refs/heads`, pull requests under `refs/pull`. */
export class TestRepository implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes a repository with one commit of `files` on `main`. */
  static async make(files: Readonly<Record<string, string>> = { "README.md": "hello\n" }) {
    const repository = new TestRepository(await Deno.makeTempDir({ prefix: "tickborg-test-" }));
    await git(["init", "--quiet", "--initial-branch=main", repository.path]);
    await repository.commit("Begin", files);
    return repository;
  }

  /** Runs git in the work tree and gives its answer without the newline at its end. */
  git(...args: string[]): Promise<string> {
    return gitText(args, {
      cwd: this.path,
      allowLocal: true,
      env: {
        GIT_AUTHOR_NAME: "Ann",
        GIT_AUTHOR_EMAIL: "ann@example.org",
        GIT_COMMITTER_NAME: "Ann",
        GIT_COMMITTER_EMAIL: "ann@example.org",
      },
    });
  }

  /** Writes files (null removes one), commits them on the branch checked out, and gives the hash. */
  async commit(subject: string, files: Readonly<Record<string, string | null>> = {}) {
    for (const [name, content] of Object.entries(files)) {
      const path = `${this.path}/${name}`;
      if (content === null) {
        await Deno.remove(path);
      } else {
        await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
        await Deno.writeTextFile(path, content);
      }
    }
    await this.git("add", "--all");
    await this.git("commit", "--quiet", "--allow-empty", "-m", subject);
    return await this.head();
  }

  /** The commit checked out. */
  head(): Promise<string> {
    return this.git("rev-parse", "HEAD");
  }

  /** Checks out a branch, made from `from` where it is given. */
  async checkout(branch: string, from?: string): Promise<void> {
    await this.git("checkout", "--quiet", ...(from ? ["-B", branch, from] : [branch]));
  }

  /** Sets `refs/pull/<number>/head` as GitHub does for a pull request. */
  async pull(number: number, sha: string): Promise<void> {
    await this.git("update-ref", `refs/pull/${number}/head`, sha);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A temporary folder that goes away with its scope. */
export class TestFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<TestFolder> {
    return new TestFolder(await Deno.makeTempDir({ prefix: "tickborg-test-" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
