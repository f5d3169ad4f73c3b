/** The bare git repository behind a repository of the fake, if there is one. */

/** The fake's requests to git. */
export class Upstream {
  readonly #path: string;

  /** @param path The bare repository. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Whether there is such a commit. */
  async hasCommit(sha: string): Promise<boolean> {
    if (!/^[0-9a-f]{40,64}$/.test(sha)) return false;
    return (await this.#git("cat-file", "-e", `${sha}^{commit}`)).success;
  }

  /** The commit a branch points to; all zeros if there is no such branch. */
  async tip(branch: string): Promise<string> {
    const { success, stdout } = await this.#git("rev-parse", "--verify", `refs/heads/${branch}`);
    return success ? new TextDecoder().decode(stdout).trim() : "0".repeat(40);
  }

  /** Points a ref to a commit, as GitHub does with `refs/pull/<n>/head`. */
  async setRef(ref: string, sha: string): Promise<void> {
    const { success, stderr } = await this.#git("update-ref", ref, sha);
    if (!success) throw new Error(`Cannot set ${ref}: ${new TextDecoder().decode(stderr)}`);
  }

  /** A file's bytes at a ref. */
  async fileAt(ref: string, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { success, stdout } = await this.#git("cat-file", "blob", `${ref}:${path}`);
    return success ? new Uint8Array(stdout) : undefined;
  }

  #git(...args: string[]): Promise<Deno.CommandOutput> {
    return new Deno.Command("git", { args: ["--git-dir", this.#path, ...args] }).output();
  }
}
