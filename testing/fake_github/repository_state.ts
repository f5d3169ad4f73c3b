/** The state of a repository of the fake GitHub, for tests to inspect. */
import type {
  ContentWrite,
  FakeCheckRun,
  FakeComment,
  FakeDelivery,
  FakeLabelEvent,
  FakePull,
  FakeStatus,
} from "./state.ts";
import { Upstream } from "./upstream.ts";

/** Options of a repository. A `Monorepo` fits as it is. */
export interface RepositoryInput {
  /** `owner/name`. */
  readonly fullName: string;
  readonly cloneUrl: string;
  readonly defaultBranch?: string;
  /** Path of a bare repository, which has the commits and gets `refs/pull/<n>/head`. */
  readonly upstream?: string;
}

/** What a repository needs from the fake. */
export interface World {
  /** ISO 8601 with whole seconds, as GitHub writes times. */
  time(): string;
  nextId(): number;
  changed(): void;
  deliver(event: string, payload: Record<string, unknown>): Promise<FakeDelivery | undefined>;
}

/** A repository's state, without actions. */
export class RepositoryState {
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
  /** Files of the contents API for any ref. */
  readonly files = new Map<string, string>();
  /** Whether the App is installed here. */
  installed = true;
  readonly #upstream: Upstream | undefined;
  readonly #commits = new Set<string>();
  readonly #world: World;

  constructor(input: RepositoryInput, world: World) {
    [this.owner, this.name] = input.fullName.split("/") as [string, string];
    this.fullName = input.fullName;
    this.cloneUrl = input.cloneUrl;
    this.defaultBranch = input.defaultBranch ?? "main";
    this.#upstream = input.upstream === undefined ? undefined : new Upstream(input.upstream);
    this.#world = world;
    this.id = world.nextId();
  }

  /** A pull request by number; throws if there is none. */
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

  /** Comments on a pull request, reviews, code comments and the App's too, oldest first. */
  comments(number: number): FakeComment[] {
    return this.allComments.filter((comment) => comment.number === number);
  }

  /** Content that was written to a pull request or to its current head. */
  writesTo(number: number): ContentWrite[] {
    const { headSha } = this.pull(number);
    return this.contentWrites.filter((it) => it.number === number || it.sha === headSha);
  }

  /** Adds a commit, like a push without a webhook. */
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

  /** Adds or removes a label and records the event. */
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

  /** Moves the head of a pull request, like a push without a webhook. */
  async setHead(pull: FakePull, sha: string): Promise<void> {
    this.#commits.add(sha);
    pull.headSha = sha;
    pull.updatedAt = pull.headPushedAt = this.#world.time();
    await this.#upstream?.setRef(`refs/pull/${pull.number}/head`, sha);
    this.#world.changed();
  }

  /** The commit a branch points to. */
  async tip(branch: string): Promise<string> {
    return await this.#upstream?.tip(branch) ?? "b".repeat(40);
  }
}
