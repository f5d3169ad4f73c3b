/**
 * Our interface to GitHub. `client.ts` implements it with Octokit; roles take only the methods they
 * use (`Pick<GitHub, …>`), which simplifies tests.
 *
 * Every method throws a `TransientFault` for passing faults (5xx, 429, rate limits, 401, network)
 * and a `GitHubRefusal` for permanent ones (403, 422). If something is missing ({@link isMissing}),
 * some methods return `undefined` instead, as documented.
 */

import { TransientFault } from "../common/errors.ts";

/** `owner` and `name` of a repository. */
export interface RepoName {
  readonly owner: string;
  readonly name: string;
}

/** The current state of a pull request. */
export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly state: "open" | "closed";
  readonly draft: boolean;
  readonly author: string;
  readonly headSha: string;
  readonly baseRef: string;
  readonly labels: readonly string[];
  /** When the head's repository last got a push, ISO 8601; undefined if it is gone. */
  readonly headPushedAt: string | undefined;
  /** ISO 8601. */
  readonly updatedAt: string;
  /** The base repository's default branch. */
  readonly defaultBranch: string;
  /** The base repository's clone address. */
  readonly cloneUrl?: string | undefined;
}

/** A commit status; the newest one of a context counts. */
export interface CommitStatus {
  readonly context: string;
  readonly state: "pending" | "success" | "failure" | "error";
  /** At most 140 characters; the client cuts it. */
  readonly description: string;
  readonly targetUrl?: string | undefined;
  /** ISO 8601; set on statuses that were read. */
  readonly createdAt?: string | undefined;
}

export type Conclusion =
  | "success"
  | "failure"
  | "neutral"
  | "cancelled"
  | "skipped"
  | "timed_out"
  | "action_required";

/** A check run's content. The client cuts texts to GitHub's 65,535 characters. */
export interface CheckRunState {
  readonly status: "queued" | "in_progress" | "completed";
  readonly conclusion?: Conclusion | undefined;
  readonly externalId: string;
  readonly title: string;
  readonly summary: string;
  readonly text?: string | undefined;
  readonly detailsUrl?: string | undefined;
  /** ISO 8601. */
  readonly startedAt?: string | undefined;
  /** ISO 8601. */
  readonly completedAt?: string | undefined;
}

/** A check run of this App. */
export interface CheckRun extends CheckRunState {
  readonly id: number;
  readonly name: string;
  readonly headSha: string;
}

/** A comment to react to; GitHub numbers each kind separately. */
export interface ReactableComment {
  /** A review comment is on a line of code. */
  readonly kind: "comment" | "review-comment";
  readonly commentId: number;
}

/** A webhook delivery in the App's own log. */
export interface HookDelivery {
  /** May be larger than a double holds. */
  readonly id: number | bigint;
  readonly guid: string;
  readonly event: string;
  /** ISO 8601. */
  readonly deliveredAt: string;
  /** Whether GitHub got a 2xx. */
  readonly ok: boolean;
}

/** A conversation about a line of code. */
export interface ReviewThread {
  /** The pull request. */
  readonly number: number;
  /** Its first review comment: GitHub allows replies only to that one. */
  readonly threadId: number;
}

/** A comment with a hidden marker, which prevents writing it twice. */
export interface MarkedComment {
  readonly marker: string;
  readonly body: string;
}

/** Deliveries of the App's webhook, newest first. */
export interface HookDeliveries {
  readonly deliveries: readonly HookDelivery[];
  /** False if there were too many to read: the oldest are missing. */
  readonly complete: boolean;
}

/** An App's permissions and events. */
export interface Grant {
  /** `read`, `write` or `admin` by permission: `checks`, `contents`, `pull_requests`, … */
  readonly permissions: Readonly<Record<string, string>>;
  /** Webhook events by their names in `X-GitHub-Event`. */
  readonly events: readonly string[];
}

/** The App's settings. */
export interface AppFacts extends Grant {
  readonly name: string;
  /** Its page, which has the installation link. */
  readonly url: string;
}

/** The App's installation on a repository, with what its owner granted. */
export interface Installation extends Grant {
  readonly suspended: boolean;
}

/** The GitHub client. */
export interface GitHub {
  /** The client's App. Throws an {@link UnknownApp} if GitHub does not know the App or its key. */
  app(): Promise<AppFacts>;
  /** Undefined if the App is not installed on the repository, or there is no such repository. */
  installation(repo: RepoName): Promise<Installation | undefined>;
  /**
   * A file at a branch, tag or commit, from the contents API (`raw` media type); undefined if there
   * is no such file. Throws a refusal that {@link isMissing} if there is no such ref, and a
   * `GitHubRefusal` above 4 MiB.
   */
  fileAt(repo: RepoName, ref: string, path: string): Promise<Uint8Array | undefined>;
  /** The repository's default branch; undefined if there is no such repository. */
  defaultBranch(repo: RepoName): Promise<string | undefined>;
  /** Undefined if there is no such pull request. */
  pullRequest(repo: RepoName, number: number): Promise<PullRequest | undefined>;
  openPullRequests(repo: RepoName): Promise<PullRequest[]>;
  /** Statuses of a commit, newest first; undefined if there is no such commit. */
  statuses(repo: RepoName, sha: string): Promise<CommitStatus[] | undefined>;
  setStatus(repo: RepoName, sha: string, status: CommitStatus): Promise<void>;
  addLabels(repo: RepoName, number: number, labels: readonly string[]): Promise<void>;
  /** Does nothing if the label is not there. */
  removeLabel(repo: RepoName, number: number, label: string): Promise<void>;
  /** Labels that this App added to the pull request, from its events. */
  labelsAddedByApp(repo: RepoName, number: number): Promise<string[]>;
  /** Check runs of this App on a commit, optionally by name; undefined if there is no such commit. */
  checkRuns(repo: RepoName, sha: string, name?: string): Promise<CheckRun[] | undefined>;
  createCheckRun(
    repo: RepoName,
    run: CheckRunState & { name: string; headSha: string },
  ): Promise<CheckRun>;
  updateCheckRun(repo: RepoName, id: number, run: CheckRunState): Promise<void>;
  /** Reacts to a comment with eyes, once. */
  react(repo: RepoName, comment: ReactableComment): Promise<void>;
  /** Writes a comment, unless there already is one with its marker. */
  commentOnce(repo: RepoName, number: number, comment: MarkedComment): Promise<void>;
  /** The same as a reply to a review comment. False if that comment is gone. */
  replyOnce(repo: RepoName, thread: ReviewThread, reply: MarkedComment): Promise<boolean>;
  /** `admin`, `write`, `read` or `none`. */
  permission(repo: RepoName, user: string): Promise<string>;
  /** At most 20,000 deliveries since a time (milliseconds since the epoch). */
  hookDeliveries(since: number): Promise<HookDeliveries>;
  redeliver(deliveryId: number | bigint): Promise<void>;
}

/** GitHub refused a request permanently. */
export class GitHubRefusal extends Error {
  override name = "GitHubRefusal";
  /** The HTTP status. */
  readonly status: number;

  constructor(message: string, status: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/**
 * GitHub does not know the App or its key. It is transient, because messages must not be lost until
 * the configuration is fixed; but it ends a role that starts.
 */
export class UnknownApp extends TransientFault {
  override name = "UnknownApp";
}

/**
 * Whether something does not exist on GitHub: 404 or 410 for a repository or something in it, 422
 * "No commit found for SHA" for a commit.
 */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof GitHubRefusal)) return false;
  return error.status === 404 || error.status === 410 ||
    (error.status === 422 && /no commit found/i.test(error.message));
}
