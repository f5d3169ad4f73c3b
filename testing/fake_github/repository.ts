/** A repository of the fake GitHub: the actions of people, which send webhooks. */
import {
  issueCommentPayload,
  pullRequestPayload,
  type PushedCommitInput,
  pushPayload,
  reviewCommentPayload,
  reviewPayload,
} from "./payloads.ts";
import { type RepositoryInput, RepositoryState, type World } from "./repository_state.ts";
import type { FakeComment, FakePull } from "./state.ts";

/** How a pull request is opened. */
export interface PullInput {
  readonly headSha: string;
  readonly title?: string;
  readonly author?: string;
  readonly draft?: boolean;
  readonly baseRef?: string;
  readonly headRef?: string;
  /** The head is a branch of this repository: GitHub then sends each push as `push` too. */
  readonly sameRepository?: boolean;
  readonly number?: number;
}

/** Who wrote something. */
export interface Writer {
  readonly author?: string;
  readonly association?: string;
  readonly type?: "User" | "Bot";
}

/** A repository. Every action resolves after any answer of the receiver to the webhook. */
export class FakeRepository extends RepositoryState {
  readonly #world: World;
  #lastNumber = 0;

  constructor(input: RepositoryInput, world: World) {
    super(input, world);
    this.#world = world;
  }

  /** Opens a pull request and sends `opened`, after `push` if the branch is in this repository. */
  async openPullRequest(input: PullInput): Promise<FakePull> {
    const now = this.#world.time();
    const number = input.number ?? this.#lastNumber + 1;
    this.#lastNumber = Math.max(this.#lastNumber, number);
    const baseRef = input.baseRef ?? this.defaultBranch;
    const pull: FakePull = {
      number,
      title: input.title ?? `Change ${number}`,
      state: "open",
      merged: false,
      draft: input.draft ?? false,
      author: input.author ?? "contributor",
      headSha: input.headSha,
      headRef: input.headRef ?? `change-${number}`,
      sameRepository: input.sameRepository ?? false,
      baseRef,
      baseSha: await this.tip(baseRef),
      labels: [],
      createdAt: now,
      updatedAt: now,
      headPushedAt: now,
    };
    await this.setHead(pull, input.headSha);
    this.pulls.set(number, pull);
    this.#world.changed();
    if (pull.sameRepository) await this.push({ ref: pull.headRef, after: pull.headSha });
    await this.#sendPull(pull, "opened");
    return pull;
  }

  /** Pushes a head and sends `synchronize`, after `push` if the branch is in this repository. */
  async pushHead(number: number, sha: string): Promise<void> {
    const pull = this.pull(number);
    const before = pull.headSha;
    await this.setHead(pull, sha);
    if (pull.sameRepository) await this.push({ ref: pull.headRef, before, after: sha });
    await this.#sendPull(pull, "synchronize", { before, after: sha });
  }

  /** Closes a pull request, merged or not, and sends `closed`. */
  async closePullRequest(number: number, options: { merged?: boolean } = {}): Promise<void> {
    const pull = this.pull(number);
    pull.state = "closed";
    pull.merged = options.merged ?? false;
    await this.#sendPull(pull, "closed");
  }

  /** Reopens it and sends `reopened`. */
  async reopenPullRequest(number: number): Promise<void> {
    const pull = this.pull(number);
    pull.state = "open";
    await this.#sendPull(pull, "reopened");
  }

  /** Marks it as draft or ready and sends `converted_to_draft` or `ready_for_review`. */
  async setDraft(number: number, draft: boolean): Promise<void> {
    const pull = this.pull(number);
    pull.draft = draft;
    await this.#sendPull(pull, draft ? "converted_to_draft" : "ready_for_review");
  }

  /** Changes the title, the base branch or both, and sends `edited`. */
  async edit(number: number, change: { title?: string; baseRef?: string }): Promise<void> {
    const pull = this.pull(number);
    const changes: Record<string, unknown> = {};
    if (change.title !== undefined) {
      changes.title = { from: pull.title };
      pull.title = change.title;
    }
    if (change.baseRef !== undefined) {
      changes.base = { ref: { from: pull.baseRef }, sha: { from: pull.baseSha } };
      pull.baseRef = change.baseRef;
      pull.baseSha = await this.tip(change.baseRef);
    }
    await this.#sendPull(pull, "edited", { changes });
  }

  /** Adds a label as a person and sends `labeled`. */
  async addLabel(number: number, label: string): Promise<void> {
    this.recordLabel(number, label, { event: "labeled", byApp: false });
    await this.#sendPull(this.pull(number), "labeled", { label: { name: label } });
  }

  /** Writes a comment as a person and sends `issue_comment` `created`. */
  async comment(number: number, body: string, as: Writer = {}): Promise<FakeComment> {
    const comment = this.#write({ kind: "comment", number, body }, as);
    const pull = this.pull(number);
    await this.#world.deliver(
      "issue_comment",
      issueCommentPayload(this, { pull, comment, action: "created" }),
    );
    return comment;
  }

  /** Submits a review as a person and sends `pull_request_review` `submitted`. */
  async review(number: number, body: string, as: Writer = {}): Promise<FakeComment> {
    const review = this.#write({ kind: "review", number, body }, as);
    const pull = this.pull(number);
    await this.#world.deliver(
      "pull_request_review",
      reviewPayload(this, { pull, comment: review, action: "submitted" }),
    );
    return review;
  }

  /** Comments on a line of code, and sends `pull_request_review_comment` `created`. */
  async reviewComment(
    number: number,
    body: string,
    as: Writer & { inReplyTo?: number } = {},
  ): Promise<FakeComment> {
    const { inReplyTo } = as;
    const comment = this.#write({ kind: "review-comment", number, body, inReplyTo }, as);
    const pull = this.pull(number);
    await this.#world.deliver(
      "pull_request_review_comment",
      reviewCommentPayload(this, { pull, comment, action: "created" }),
    );
    return comment;
  }

  #write(
    written: Pick<FakeComment, "kind" | "number" | "body" | "inReplyTo">,
    as: Writer,
  ): FakeComment {
    const comment: FakeComment = {
      ...written,
      id: this.#world.nextId(),
      author: as.author ?? "contributor",
      authorType: as.type ?? "User",
      authorAssociation: as.association ?? "CONTRIBUTOR",
      byApp: false,
      createdAt: this.#world.time(),
      reactions: [],
    };
    this.allComments.push(comment);
    this.#world.changed();
    return comment;
  }

  /** Edits a comment and sends `edited`. */
  async editComment(comment: FakeComment, body: string): Promise<void> {
    comment.body = body;
    const pull = this.pull(comment.number);
    await this.#world.deliver(
      "issue_comment",
      issueCommentPayload(this, { pull, comment, action: "edited" }),
    );
  }

  /** Sends a `push` to a branch (a bare name gets the prefix `refs/heads/`). */
  async push(input: {
    ref: string;
    after: string;
    before?: string;
    commits?: readonly PushedCommitInput[];
    pusher?: string;
    forced?: boolean;
  }): Promise<void> {
    this.addCommit(input.after);
    const pushedAt = Date.parse(this.#world.time()) / 1_000;
    await this.#world.deliver("push", pushPayload(this, { ...input, pushedAt }));
  }

  async #sendPull(pull: FakePull, action: string, more: Record<string, unknown> = {}) {
    pull.updatedAt = this.#world.time();
    this.#world.changed();
    await this.#world.deliver("pull_request", pullRequestPayload(this, { pull, action, more }));
  }
}
