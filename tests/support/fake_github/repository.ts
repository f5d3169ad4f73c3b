/** A repository of the fake GitHub: people's verbs that send webhooks, and what a test looks at. */
import type {
  ContentWrite,
  FakeCheckRun,
  FakeComment,
  FakeDelivery,
  FakeLabelEvent,
  FakePull,
  FakeStatus,
} from "./state.ts";
import { issueCommentPayload, pullRequestPayload, pushPayload } from "./payloads.ts";
import { Upstream } from "./upstream.ts";

/** What a repository is made of. A `Monorepo` of the test support fits as it is. */
export interface RepositoryInput {
  /** `owner/name`. */
  readonly fullName: string;
  readonly cloneUrl: string;
  readonly defaultBranch?: string;
  /** Path of the bare repository; commits are then looked up in it and `refs/pull/<n>/head` is kept. */
  readonly upstream?: string;
}

/** What a repository needs of the fake around it. */
export interface World {
  /** ISO 8601 with whole seconds, as GitHub writes times. */
  time(): string;
  nextId(): number;
  changed(): void;
  deliver(event: string, payload: Record<string, unknown>): Promise<FakeDelivery | undefined>;
}

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

/** A commit of a push, as the payload lists it. */
export interface PushedCommitInput {
  readonly id?: string;
  readonly message: string;
  readonly added?: readonly string[];
  readonly modified?: readonly string[];
  readonly removed?: readonly string[];
}

/** A repository. Every verb resolves when the receiver has answered the webhook, whatever it answered. */
export class FakeRepository {
  readonly id: number;
  readonly fullName: string;
  readonly owner: string;
  readonly name: string;
  readonly cloneUrl: string;
  readonly defaultBranch: string;
  readonly pulls = new Map<number, FakePull>();
  readonly allStatuses: FakeStatus[] = [];
  readonly allCheckRuns: FakeCheckRun[] = [];
  readonly allComments: FakeComment[] = [];
  readonly labelEvents: FakeLabelEvent[] = [];
  readonly contentWrites: ContentWrite[] = [];
  /** `admin`, `write`, `read` or `none` by login. */
  readonly permissions = new Map<string, string>();
  /** Files that the contents API gives whatever the ref, where there is no upstream repository. */
  readonly files = new Map<string, string>();
  /** Whether the App is installed here. */
  installed = true;
  readonly #upstream: Upstream | undefined;
  readonly #commits = new Set<string>();
  readonly #world: World;
  #lastNumber = 0;

  constructor(input: RepositoryInput, world: World) {
    [this.owner, this.name] = input.fullName.split("/") as [string, string];
    this.fullName = input.fullName;
    this.cloneUrl = input.cloneUrl;
    this.defaultBranch = input.defaultBranch ?? "main";
    this.#upstream = input.upstream === undefined ? undefined : new Upstream(input.upstream);
    this.#world = world;
    this.id = world.nextId();
  }

  /** Opens a pull request and sends `opened`, after the `push` of its branch where that is one of ours. */
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
      baseSha: await this.#tip(baseRef),
      labels: [],
      createdAt: now,
      updatedAt: now,
    };
    await this.#setHead(pull, input.headSha);
    this.pulls.set(number, pull);
    this.#world.changed();
    if (pull.sameRepository) await this.push({ ref: pull.headRef, after: pull.headSha });
    await this.#sendPull(pull, "opened");
    return pull;
  }

  /** Pushes a new head and sends `synchronize`, after `push` where the branch is one of ours. */
  async pushHead(number: number, sha: string): Promise<void> {
    const pull = this.pull(number);
    const before = pull.headSha;
    await this.#setHead(pull, sha);
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

  /** Opens it again and sends `reopened`. */
  async reopenPullRequest(number: number): Promise<void> {
    const pull = this.pull(number);
    pull.state = "open";
    await this.#sendPull(pull, "reopened");
  }

  /** Makes it a draft or ready and sends `converted_to_draft` or `ready_for_review`. */
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
      pull.baseSha = await this.#tip(change.baseRef);
    }
    await this.#sendPull(pull, "edited", { changes });
  }

  /** Puts a label on as a person does, and sends `labeled`. */
  async addLabel(number: number, label: string): Promise<void> {
    this.recordLabel(number, label, { event: "labeled", byApp: false });
    await this.#sendPull(this.pull(number), "labeled", { label: { name: label } });
  }

  /** Writes a comment as a person does, and sends `issue_comment` `created`. */
  async comment(
    number: number,
    body: string,
    as: { author?: string; association?: string; type?: "User" | "Bot" } = {},
  ): Promise<FakeComment> {
    const comment: FakeComment = {
      id: this.#world.nextId(),
      number,
      body,
      author: as.author ?? "contributor",
      authorType: as.type ?? "User",
      authorAssociation: as.association ?? "CONTRIBUTOR",
      byApp: false,
      createdAt: this.#world.time(),
      reactions: [],
    };
    this.allComments.push(comment);
    this.#world.changed();
    const pull = this.pull(number);
    await this.#world.deliver(
      "issue_comment",
      issueCommentPayload(this, { pull, comment, action: "created" }),
    );
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

  /** Sends a `push` to a branch (`refs/heads/…` is put before a bare name). */
  async push(input: {
    ref: string;
    after: string;
    before?: string;
    commits?: readonly PushedCommitInput[];
    pusher?: string;
    forced?: boolean;
  }): Promise<void> {
    this.#commits.add(input.after);
    const pushedAt = Date.parse(this.#world.time()) / 1_000;
    await this.#world.deliver("push", pushPayload(this, { ...input, pushedAt }));
  }

  /** A pull request by number; throws where there is none. */
  pull(number: number): FakePull {
    const pull = this.pulls.get(number);
    if (!pull) throw new Error(`Cannot find pull request: ${this.fullName}#${number}`);
    return pull;
  }

  /** Statuses of a commit, newest first. */
  statuses(sha: string): FakeStatus[] {
    return this.allStatuses.filter((status) => status.sha === sha).reverse();
  }

  /** Check runs of a commit, oldest first. */
  checkRuns(sha: string): FakeCheckRun[] {
    return this.allCheckRuns.filter((run) => run.headSha === sha);
  }

  /** Labels on a pull request. */
  labels(number: number): readonly string[] {
    return this.pull(number).labels;
  }

  /** Comments on a pull request, the App's too, oldest first. */
  comments(number: number): FakeComment[] {
    return this.allComments.filter((comment) => comment.number === number);
  }

  /** Content that was written to a pull request or to its present head. */
  writesTo(number: number): ContentWrite[] {
    const { headSha } = this.pull(number);
    return this.contentWrites.filter((it) => it.number === number || it.sha === headSha);
  }

  /** Lets the repository know a commit, as a push that no webhook tells of does. */
  addCommit(sha: string): void {
    this.#commits.add(sha);
  }

  /** Whether the repository has a commit. */
  async hasCommit(sha: string): Promise<boolean> {
    if (this.#commits.has(sha)) return true;
    const found = await this.#upstream?.hasCommit(sha) ?? false;
    if (found) this.#commits.add(sha);
    return found;
  }

  /** A file at a branch, tag or commit: one of {@link files}, else from the upstream repository. */
  async fileAt(ref: string, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const given = this.files.get(path);
    if (given !== undefined) return new TextEncoder().encode(given);
    return await this.#upstream?.fileAt(ref, path);
  }

  /** Puts a label on or takes it off, and keeps the event. */
  recordLabel(
    number: number,
    label: string,
    { event, byApp }: Pick<FakeLabelEvent, "event" | "byApp">,
  ): void {
    const { labels } = this.pull(number);
    const index = labels.indexOf(label);
    if ((event === "labeled") === (index >= 0)) return;
    if (event === "labeled") labels.push(label);
    else labels.splice(index, 1);
    const createdAt = this.#world.time();
    this.labelEvents.push({ id: this.#world.nextId(), number, event, label, byApp, createdAt });
    this.#world.changed();
  }

  async #setHead(pull: FakePull, sha: string): Promise<void> {
    this.#commits.add(sha);
    pull.headSha = sha;
    pull.updatedAt = this.#world.time();
    await this.#upstream?.setRef(`refs/pull/${pull.number}/head`, sha);
    this.#world.changed();
  }

  async #sendPull(pull: FakePull, action: string, more: Record<string, unknown> = {}) {
    pull.updatedAt = this.#world.time();
    this.#world.changed();
    await this.#world.deliver("pull_request", pullRequestPayload(this, { pull, action, more }));
  }

  async #tip(branch: string): Promise<string> {
    return await this.#upstream?.tip(branch) ?? "b".repeat(40);
  }
}
