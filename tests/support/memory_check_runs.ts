/** The part of GitHub that keeps check runs, in memory: for tests of rules that need no HTTP. */
import {
  type CheckRun,
  type CheckRunState,
  type GitHub,
  GitHubRefusal,
  type PullRequest,
  type RepoName,
} from "../../lib/github/github.ts";

/** Check runs as GitHub keeps them, with what tests may make go wrong. */
export class MemoryCheckRuns implements
  Pick<
    GitHub,
    "checkRuns" | "createCheckRun" | "updateCheckRun" | "pullRequest" | "defaultBranch"
  > {
  readonly runs: CheckRun[] = [];
  /** Pull requests that are open; others are not there. */
  readonly pulls = new Map<number, PullRequest>();
  /** Writes in order: `create cmark on x86_64-linux queued`. */
  readonly writes: string[] = [];
  /** Requests begun, reads and writes. */
  requests = 0;
  /** Listings of all check runs of a commit. */
  listings = 0;
  /** Commits that do not exist. */
  readonly missing = new Set<string>();
  /** Thrown by the next calls, one each. */
  readonly errors: Error[] = [];
  /** Whether a new check run shows in the listing only after the next listing. */
  lagging = false;
  /** Awaited by the next update before it takes effect: a network that is slow. */
  slowUpdate: (() => Promise<void>) | undefined;
  #hidden = new Set<number>();

  async checkRuns(_repo: RepoName, sha: string, name?: string): Promise<CheckRun[] | undefined> {
    if (name === undefined) this.listings++;
    await this.#nextLoop();
    if (this.missing.has(sha)) return undefined;
    const shown = this.runs.filter((run) =>
      run.headSha === sha && (name === undefined || run.name === name) &&
      !this.#hidden.has(run.id)
    );
    this.#hidden.clear();
    return shown.map((run) => ({ ...run }));
  }

  defaultBranch(): Promise<string> {
    return Promise.resolve("main");
  }

  pullRequest(_repo: RepoName, number: number): Promise<PullRequest | undefined> {
    return Promise.resolve(this.pulls.get(number));
  }

  async createCheckRun(
    _repo: RepoName,
    run: CheckRunState & { name: string; headSha: string },
  ): Promise<CheckRun> {
    await this.#nextLoop();
    if (this.missing.has(run.headSha)) {
      throw new GitHubRefusal(`No commit found for SHA: ${run.headSha}`, 422);
    }
    const created = { ...run, id: this.runs.length + 1 };
    this.runs.push(created);
    if (this.lagging) this.#hidden.add(created.id);
    this.writes.push(`create ${run.name} ${run.conclusion ?? run.status}`);
    return created;
  }

  async updateCheckRun(
    _repo: RepoName,
    id: number,
    state: CheckRunState,
  ): Promise<void> {
    const slow = this.slowUpdate;
    this.slowUpdate = undefined;
    await slow?.();
    await this.#nextLoop();
    const index = this.runs.findIndex((run) => run.id === id);
    const { name, headSha } = this.runs[index]!;
    this.runs[index] = { ...state, id, name, headSha };
    this.writes.push(`update ${name} ${state.conclusion ?? state.status}`);
  }

  /** The check run of a name; fails where there is not exactly one. */
  only(name: string): CheckRun {
    const found = this.runs.filter((run) => run.name === name);
    if (found.length !== 1) throw new Error(`${found.length} check runs are named ${name}`);
    return found[0]!;
  }

  /** Lets others go first, as a request over a network does, then fails if it shall. */
  async #nextLoop(): Promise<void> {
    this.requests++;
    await new Promise((resolve) => setTimeout(resolve, 0));
    const error = this.errors.shift();
    if (error !== undefined) throw error;
  }
}
