/** The fake GitHub's state: plain data for tests, turned into GitHub's JSON by `shapes.ts`. */
import type { CheckRun, CheckRunState, CommitStatus } from "../../lib/github/github.ts";

/** A pull request. */
export interface FakePull {
  readonly number: number;
  title: string;
  state: "open" | "closed";
  merged: boolean;
  draft: boolean;
  readonly author: string;
  headSha: string;
  readonly headRef: string;
  /** Whether the head is a branch of this repository, not of a fork. */
  readonly sameRepository: boolean;
  baseRef: string;
  baseSha: string;
  readonly labels: string[];
  readonly createdAt: string;
  updatedAt: string;
  /** The last push to the repository of its head. */
  headPushedAt: string;
}

/** A comment on a pull request, a review of it, or a comment on a line of its code. */
export interface FakeComment {
  readonly kind: "comment" | "review" | "review-comment";
  readonly id: number;
  /** The review comment that this one replies to. */
  readonly inReplyTo?: number | undefined;
  readonly number: number;
  body: string;
  readonly author: string;
  readonly authorType: "User" | "Bot";
  readonly authorAssociation: string;
  readonly byApp: boolean;
  readonly createdAt: string;
  /** The App's reactions. */
  readonly reactions: string[];
}

/** A status that was written to a commit. */
export interface FakeStatus extends CommitStatus {
  readonly id: number;
  readonly sha: string;
  readonly createdAt: string;
}

/** A check run and its history. */
export interface FakeCheckRun extends CheckRun {
  /** Its conclusion, or its status while it has none, after each write. */
  readonly history: string[];
  /** Its content after each write. */
  readonly states: CheckRunState[];
}

/** A label that was added or removed. */
export interface FakeLabelEvent {
  readonly id: number;
  readonly number: number;
  readonly event: "labeled" | "unlabeled";
  readonly label: string;
  readonly byApp: boolean;
  readonly createdAt: string;
}

/** A write that counts against GitHub's limits on content. */
export interface ContentWrite {
  readonly kind: "status" | "check run" | "label" | "comment" | "reaction";
  readonly request: string;
  /** The commit that was written to. */
  readonly sha?: string | undefined;
  /** The pull request that was written to. */
  readonly number?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A webhook delivery and how the receiver answered it. */
export interface FakeDelivery {
  readonly id: number;
  readonly guid: string;
  readonly event: string;
  readonly action: string | undefined;
  readonly redelivery: boolean;
  readonly deliveredAt: string;
  /** The receiver's answer; 0 if there was none. */
  readonly statusCode: number;
  /** The receiver's text, or why there was none. */
  readonly answer: string;
  readonly seconds: number;
  readonly repositoryId: number | undefined;
  readonly body: string;
}
