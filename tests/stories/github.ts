/** GitHub in memory: what roles ask of it, and what people do there, which becomes webhooks. */
import {
  type CheckRunState,
  type CommitStatus,
  type GitHub,
  GitHubRefusal,
  type PullRequest,
  type RepoName,
} from "../../lib/github/github.ts";
import { MemoryCheckRuns } from "../support/memory_check_runs.ts";

/** A pull request that people change. */
export type Pull = { -readonly [Key in keyof PullRequest]: PullRequest[Key] };

/** A webhook: the event's name and its payload. */
export interface Webhook {
  readonly event: string;
  readonly payload: unknown;
}

/** What stands on GitHub. */
export class StoryGitHub extends MemoryCheckRuns implements Omit<GitHub, "app" | "installation"> {
  override readonly pulls = new Map<number, Pull>();
  readonly commits = new Map<string, CommitStatus[]>();
  readonly #repo: RepoName & { full_name: string; clone_url: string };
  readonly #files: (ref: string, path: string) => Promise<Uint8Array | undefined>;
  readonly #trusted: ReadonlySet<string>;
  /** Seconds since the epoch: GitHub's times have no smaller part. */
  now = Date.parse("2026-01-01T12:00:00Z") / 1_000;
  #ids = 0;

  constructor(
    repo: RepoName & { full_name: string; clone_url: string },
    { files, trusted }: {
      files: (ref: string, path: string) => Promise<Uint8Array | undefined>;
      trusted: readonly string[];
    },
  ) {
    super();
    this.#repo = repo;
    this.#files = files;
    this.#trusted = new Set(trusted);
  }

  get time(): string {
    return new Date(this.now * 1_000).toISOString().replace(".000Z", "Z");
  }

  /** The webhook of something that happened to a pull request. */
  event(pull: Pull, action: string, more: Record<string, unknown> = {}): Webhook {
    pull.updatedAt = this.time;
    const { number, title, state, draft, headSha, baseRef } = pull;
    return {
      event: "pull_request",
      payload: {
        action,
        number,
        repository: this.#repository(),
        pull_request: {
          ...{ title, state, draft, updated_at: this.time },
          head: { sha: headSha },
          base: { ref: baseRef },
        },
        ...more,
      },
    };
  }

  /** The webhook of a comment. */
  comment({ number, state }: Pull, body: string, author: string): Webhook {
    return {
      event: "issue_comment",
      payload: {
        action: "created",
        repository: this.#repository(),
        issue: { number, state, pull_request: {} },
        comment: {
          id: ++this.#ids,
          body,
          user: { login: author, type: "User" },
          created_at: this.time,
        },
      },
    };
  }

  #repository() {
    return {
      full_name: this.#repo.full_name,
      clone_url: this.#repo.clone_url,
      default_branch: "main",
    };
  }

  /** A delivery id. */
  nextId(): string {
    return `delivery-${++this.#ids}`;
  }

  override pullRequest(_repo: RepoName, number: number): Promise<PullRequest | undefined> {
    const pull = this.pulls.get(number);
    return Promise.resolve(pull && { ...pull });
  }

  openPullRequests(): Promise<PullRequest[]> {
    return Promise.resolve([...this.pulls.values()].filter(({ state }) => state === "open"));
  }

  statuses(_repo: RepoName, sha: string): Promise<CommitStatus[] | undefined> {
    return Promise.resolve([...this.commits.get(sha) ?? []].reverse());
  }

  setStatus(_repo: RepoName, sha: string, status: CommitStatus): Promise<void> {
    const statuses = this.commits.get(sha) ?? [];
    this.commits.set(sha, [...statuses, { ...status, createdAt: this.time }]);
    return Promise.resolve();
  }

  override createCheckRun(
    repo: RepoName,
    run: CheckRunState & { name: string; headSha: string },
  ) {
    const known = this.runs.some(({ name, headSha }) =>
      name === run.name && headSha === run.headSha
    );
    if (known) throw new GitHubRefusal(`Two check runs ${run.name} on one commit`, 422);
    return super.createCheckRun(repo, run);
  }

  fileAt(_repo: RepoName, ref: string, path: string): Promise<Uint8Array | undefined> {
    return this.#files(ref, path);
  }

  permission(_repo: RepoName, user: string): Promise<string> {
    return Promise.resolve(this.#trusted.has(user) ? "write" : "read");
  }

  addLabels(): Promise<void> {
    return Promise.resolve();
  }
  removeLabel(): Promise<void> {
    return Promise.resolve();
  }
  labelsAddedByApp(): Promise<string[]> {
    return Promise.resolve([]);
  }
  react(): Promise<void> {
    return Promise.resolve();
  }
  commentOnce(): Promise<void> {
    return Promise.resolve();
  }
  replyOnce(): Promise<boolean> {
    return Promise.resolve(true);
  }
  hookDeliveries() {
    return Promise.resolve({ deliveries: [], complete: true });
  }
  redeliver(): Promise<void> {
    return Promise.resolve();
  }
}
