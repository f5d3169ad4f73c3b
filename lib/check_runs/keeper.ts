/** Gathers the facts of a message about check runs, applies the rules, and writes to GitHub. */
import type { Logger } from "@logtape/logtape";
import { ack, type Broker, type Delivery, type Publication } from "../broker/broker.ts";
import { PoisonMessage } from "../errors.ts";
import { type CheckRun, type CheckRunState, type GitHub, isMissing } from "../github/github.ts";
import { Keyed } from "../keyed.ts";
import type { Repo } from "../messages/repo.ts";
import type { Addresses } from "../report/parts.ts";
import { isPush } from "../report/subject.ts";
import { expectLater } from "../retry.ts";
import type { Outcome } from "../role.ts";
import { newest, refused } from "./answers.ts";
import { BuilderWatch } from "./builder_watch.ts";
import { type Change, changesOf, namesProjects, projectsAwaiting, stateOf } from "./change.ts";
import { type CheckMessage, headOf, repoOf, watchMessage } from "./message.ts";
import { Takeover, type TakeoverOptions } from "./takeover.ts";
import { PUSH_BEHIND_PULL, type Transition, transition } from "./transition.ts";
import { WaitingChanges } from "./waiting.ts";
import { CheckRunWatcher } from "./watcher.ts";
import { RecentlyWritten } from "./written.ts";

/** What the keeper works with. */
export interface KeeperOptions extends TakeoverOptions {
  readonly github: Pick<GitHub, "checkRuns" | "createCheckRun" | "updateCheckRun">;
  readonly broker: Pick<Broker, "inspect">;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly addresses: Addresses;
  /** `owner/name` in lower case of each repository served. */
  readonly repos: ReadonlySet<string>;
  readonly noBuilderMs: number;
  readonly stuckMs: number;
}

/** What became of one check run. */
type Applied = "written" | "unchanged" | "ended" | "no commit";

/** Keeps one check run per project, system and commit. */
export class CheckRunKeeper {
  readonly #options: KeeperOptions;
  readonly #keyed = new Keyed();
  readonly #builders: BuilderWatch;
  readonly #watcher: CheckRunWatcher;
  readonly #written = new RecentlyWritten();
  readonly #waiting = new WaitingChanges();
  readonly #takeover: Takeover;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#takeover = new Takeover(options);
    this.#builders = new BuilderWatch(options);
    this.#watcher = new CheckRunWatcher({ ...options, builders: this.#builders });
  }

  /**
   * Brings every check run that a message is about up to date. Throws a `HandBack` when the role stops while
   * the instance before may still be writing.
   */
  async handle(message: CheckMessage, delivery: Delivery, stop: AbortSignal): Promise<Outcome> {
    const repo = repoOf(message);
    if (!this.#options.repos.has(repo.full_name.toLowerCase())) {
      throw new PoisonMessage(`Cannot report to ${repo.full_name}: not in runner.repos`);
    }
    // Another instance has a message that is lost by now, and settling it is without effect.
    if (!await this.#takeover.pass(delivery, stop)) return { publish: [], settle: ack };
    if (message.kind === "watch") {
      const { repo, head_sha, name } = message.watch;
      const key = keyOf(repo, head_sha, name);
      return await this.#keyed.run(key, () => this.#watcher.look(message.watch));
    }
    const changes = changesOf(message, await this.#missingProjects(message, delivery));
    if (changes.length === 0) this.#noteNobody(message);
    const applied = await settleAll(changes.map((change) => this.#apply(change, delivery)));
    const watched = message.kind !== "queued"
      ? []
      : changes.filter((_, index) =>
        applied[index] === "written" || applied[index] === "unchanged"
      );
    return { publish: watched.map(watchOf), settle: ack };
  }

  #noteNobody(message: CheckMessage): void {
    this.#options.log.warn("A message names no project and no check run waits for it", {
      kind: message.kind,
      repo: repoOf(message).full_name,
      headSha: headOf(message),
    });
  }

  /** A result of the Rust bot may name no project: it is about the check runs that wait for its request. */
  async #missingProjects(message: CheckMessage, { attempt }: Delivery): Promise<string[]> {
    if (message.kind !== "result" || namesProjects(message.result)) return [];
    const { repo, pr } = message.result;
    const runs = await this.#options.github.checkRuns(repo, pr.head_sha);
    if (runs === undefined) {
      expectLater(new Error(`GitHub shows no commit ${pr.head_sha}`), attempt);
    }
    return projectsAwaiting(message.result, runs ?? []);
  }

  #apply(change: Change, { lost, attempt }: Delivery): Promise<Applied> {
    const { repo, pr, system } = change.subject;
    const key = keyOf(repo, pr.head_sha, change.name);
    this.#waiting.add(key, change);
    return this.#keyed.run(key, async () => {
      // GitHub allows few writes: a state that is over before it could be shown is not shown.
      if (this.#waiting.take(key, change)) return "unchanged";
      const runs = await this.#options.github.checkRuns(repo, pr.head_sha, change.name);
      if (runs === undefined) return this.#noCommit(change, attempt);
      const current = this.#written.fresher(key, newest(runs), this.#options.now());
      const now = new Date(this.#options.now()).toISOString();
      const push = isPush(change.subject);
      const made = transition(current, { ...change.request, push, news: change.news }, { now });
      this.#note(change, made);
      if (made.kind === "nothing") return current?.status === "completed" ? "ended" : "unchanged";
      const queue = change.news.status === "queued" ? await this.#builders.queue(system) : {};
      const facts = { now, queue, addresses: this.#options.addresses };
      const state = stateOf(change, made, { facts, current });
      // Another instance has the message by now, and may be further.
      if (lost.aborted) return "unchanged";
      return await this.#write(change, { state, current, attempt });
    });
  }

  #note(change: Change, made: Transition): void {
    const { log } = this.#options;
    const fields = { name: change.name, headSha: change.subject.pr.head_sha, made };
    if (made.kind === "nothing" && made.why === PUSH_BEHIND_PULL) {
      log.info("A push's build is not shown", { ...fields, branch: change.subject.push?.branch });
    } else log.debug("Check run", { ...fields, news: change.news.status });
  }

  async #write(
    change: Change,
    { state, current, attempt }: {
      state: CheckRunState;
      current: CheckRun | undefined;
      attempt: number;
    },
  ): Promise<Applied> {
    const { repo, pr } = change.subject;
    const { github, log, now } = this.#options;
    try {
      const whole = { ...state, name: change.name, headSha: pr.head_sha };
      const id = current?.id ?? (await github.createCheckRun(repo, whole)).id;
      if (current !== undefined) await github.updateCheckRun(repo, id, state);
      this.#written.note(keyOf(repo, pr.head_sha, change.name), { ...whole, id }, now());
    } catch (error) {
      if (isMissing(error)) return this.#noCommit(change, attempt);
      throw refused(error, change.name);
    }
    log.info("Check run written", {
      repo: repo.full_name,
      headSha: pr.head_sha,
      name: change.name,
      status: state.status,
      conclusion: state.conclusion,
      title: state.title,
    });
    return "written";
  }

  /**
   * There is nothing to post to: a commit that GitHub's API does not show yet, that was force-pushed away and
   * collected, or a deleted repository.
   */
  #noCommit(change: Change, attempt: number): Applied {
    const { repo: { full_name: repo }, pr: { head_sha: headSha } } = change.subject;
    expectLater(new Error(`GitHub shows no commit ${headSha} in ${repo}`), attempt);
    this.#options.log.warn("No commit to report to", {
      repo,
      headSha,
      name: change.name,
    });
    return "no commit";
  }
}

function keyOf(repo: Repo, sha: string, name: string): string {
  return `${repo.full_name.toLowerCase()} ${sha} ${name}`;
}

function watchOf({ subject: { repo, pr, system }, name }: Change): Publication {
  return watchMessage({ repo, head_sha: pr.head_sha, name, system });
}

/** Waits for all, so that nothing of a message still runs when it is settled; then throws the first failure. */
async function settleAll<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}
