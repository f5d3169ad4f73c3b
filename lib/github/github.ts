/**
 * What Tickborg asks of GitHub, in its own words. `client.ts` does it with Octokit; roles take only the
 * methods they use (`Pick<GitHub, …>`), so that a test can hand them less.
 *
 * Every method throws a `TransientFault` for what may pass (5xx, 429, rate limits, 401, network) and a
 * `GitHubRefusal` for what will not (403, 422); what {@link isMissing} is `undefined` where the method says so.
 */

import { TransientFault } from "../common/errors.ts";

/** `owner` and `name` of a repository. */
export interface RepoName {
  readonly owner: string;
  readonly name: string;
}

/** A pull request as GitHub knows it now. */
export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly state: "open" | "closed";
  readonly draft: boolean;
  readonly author: string;
  readonly headSha: string;
  readonly baseRef: string;
  readonly labels: readonly string[];
  /** When something was last pushed to the head's repository, ISO 8601; undefined where that is gone. */
  readonly headPushedAt: string | undefined;
  /** ISO 8601. */
  readonly updatedAt: string;
  /** The default branch of the repository it goes to. */
  readonly defaultBranch: string;
  /** Address that the repository it goes to is cloned from. */
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

/** Conclusions GitHub allows for a completed check run. */
export type Conclusion =
  | "success"
  | "failure"
  | "neutral"
  | "cancelled"
  | "skipped"
  | "timed_out"
  | "action_required";

/** What a check run says. Texts are cut to GitHub's 65,535 characters by the client. */
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

/** A comment that can be reacted to; GitHub numbers each kind apart. */
export interface ReactableComment {
  /** A review comment is one on a line of code. */
  readonly kind: "comment" | "review-comment";
  readonly commentId: number;
}

/** A webhook delivery as the App's own log shows it. */
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
  /** The review comment that it begins with: GitHub takes replies to no other. */
  readonly threadId: number;
}

/** A comment that carries a hidden marker, by which it is known when it is to be written again. */
export interface MarkedComment {
  readonly marker: string;
  readonly body: string;
}

/** Deliveries of the App's webhook, newest first. */
export interface HookDeliveries {
  readonly deliveries: readonly HookDelivery[];
  /** False where there are more than are read at once: the oldest are missing. */
  readonly complete: boolean;
}

/** What an App may do, and what it is told of. */
export interface Grant {
  /** `read`, `write` or `admin` by permission: `checks`, `contents`, `pull_requests`, … */
  readonly permissions: Readonly<Record<string, string>>;
  /** Webhook events by their names in `X-GitHub-Event`. */
  readonly events: readonly string[];
}

/** The App as its settings are. */
export interface AppFacts extends Grant {
  readonly name: string;
  /** Its page, from which it is installed. */
  readonly url: string;
}

/** The App's installation on a repository, as its owner has granted it. */
export interface Installation extends Grant {
  readonly suspended: boolean;
}

/** The GitHub client. */
export interface GitHub {
  /** The App that this client speaks for. Throws an {@link UnknownApp} where GitHub knows no such App and key. */
  app(): Promise<AppFacts>;
  /** Undefined where the App is not installed on the repository, or there is no such repository. */
  installation(repo: RepoName): Promise<Installation | undefined>;
  /**
   * The bytes of a file at a branch, tag or commit, through the contents API (`raw` media type); undefined
   * where there is no such file, and a refusal that {@link isMissing} where there is no such ref. At most 4 MiB are read: more throws a `GitHubRefusal`.
   */
  fileAt(repo: RepoName, ref: string, path: string): Promise<Uint8Array | undefined>;
  /** The repository's default branch; undefined where there is no such repository. */
  defaultBranch(repo: RepoName): Promise<string | undefined>;
  /** Undefined where there is no such pull request. */
  pullRequest(repo: RepoName, number: number): Promise<PullRequest | undefined>;
  openPullRequests(repo: RepoName): Promise<PullRequest[]>;
  /** Statuses of a commit, newest first; undefined where there is no such commit. */
  statuses(repo: RepoName, sha: string): Promise<CommitStatus[] | undefined>;
  setStatus(repo: RepoName, sha: string, status: CommitStatus): Promise<void>;
  addLabels(repo: RepoName, number: number, labels: readonly string[]): Promise<void>;
  /** A label that is not there is no error. */
  removeLabel(repo: RepoName, number: number, label: string): Promise<void>;
  /** Names of labels that this App put on the pull request, from its timeline. */
  labelsAddedByApp(repo: RepoName, number: number): Promise<string[]>;
  /** Check runs of this App on a commit, by name where given; undefined where there is no such commit. */
  checkRuns(repo: RepoName, sha: string, name?: string): Promise<CheckRun[] | undefined>;
  createCheckRun(
    repo: RepoName,
    run: CheckRunState & { name: string; headSha: string },
  ): Promise<CheckRun>;
  updateCheckRun(repo: RepoName, id: number, run: CheckRunState): Promise<void>;
  /** Reacts to a comment with eyes, once. */
  react(repo: RepoName, comment: ReactableComment): Promise<void>;
  /** Writes a comment unless one with its marker is there already. */
  commentOnce(repo: RepoName, number: number, comment: MarkedComment): Promise<void>;
  /** The same as a reply to a review comment. False if that is no longer there. */
  replyOnce(repo: RepoName, thread: ReviewThread, reply: MarkedComment): Promise<boolean>;
  /** `admin`, `write`, `read` or `none`. */
  permission(repo: RepoName, user: string): Promise<string>;
  /** Deliveries since a time (milliseconds since the epoch), at most 20,000 of them. */
  hookDeliveries(since: number): Promise<HookDeliveries>;
  redeliver(deliveryId: number | bigint): Promise<void>;
}

/** GitHub said no, and will say no again. */
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
 * GitHub knows no such App, or another key of it. Passing, as what waits for GitHub must not be lost while
 * somebody mends the configuration; a role that starts takes it for final.
 */
export class UnknownApp extends TransientFault {
  override name = "UnknownApp";
}

/**
 * Whether GitHub knows no such thing: 404 or 410 where a repository or what is in it is gone, 422 "No commit
 * found for SHA" where a commit is.
 */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof GitHubRefusal)) return false;
  return error.status === 404 || error.status === 410 ||
    (error.status === 422 && /no commit found/i.test(error.message));
}
