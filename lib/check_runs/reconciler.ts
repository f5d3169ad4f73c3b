/** Gathers the facts of a message about check runs, applies the rules, and writes to GitHub. */
import type { Logger } from "@logtape/logtape";
import { ack, type Broker, type Delivery, type Publication } from "../broker/broker.ts";
import { PoisonMessage } from "../common/errors.ts";
import { type CheckRun, type GitHub } from "../github/github.ts";
import { settleAll } from "../common/async.ts";
import { KeyedMutex } from "../common/keyed_mutex.ts";
import type { Repo } from "../messages/repo.ts";
import type { Addresses } from "../report/parts.ts";
import { isPush } from "../report/subject.ts";
import { retryIfEarly } from "../runtime/retry.ts";
import type { HandlerResult } from "../runtime/role.ts";
import type { EvaluationNotice } from "../messages/evaluation_notice.ts";
import type { CheckWatch } from "../messages/check_watch.ts";
import { newest } from "./answers.ts";
import { ConnectedBuilders } from "./connected_builders.ts";
import {
  type CheckRunChange,
  checkRunChanges,
  namesProjects,
  projectsAwaiting,
  rememberingState,
  stateOf,
  updateOf,
  type WriteFacts,
} from "./change.ts";
import { DefaultBranches } from "./default_branches.ts";
import { recall } from "./identity.ts";
import { keyOf } from "./key.ts";
import {
  type BuildMessage,
  type CheckMessage,
  repoOf,
  subjectOf,
  watchMessage,
} from "./message.ts";
import { overallName, parseCheckRunName } from "./name.ts";
import { OverallReconciler } from "./overall/reconciler.ts";
import { overallTarget, refreshMessage } from "./overall/target.ts";
import { RedeliveryDelay, type RedeliveryDelayOptions } from "./redelivery_delay.ts";
import { isOfAnother, PULL_IS_OWNER, type Transition, transition } from "./transition.ts";
import { PendingChanges } from "./pending_changes.ts";
import { CheckWriter, type Written } from "./writer.ts";
import type { TimeoutLimits } from "./timeout_rules.ts";
import { CheckRunTimeouts } from "./timeouts.ts";
import { RecentlyWritten } from "./written.ts";

/** Options of the reconciler. */
export interface ReconcilerOptions extends RedeliveryDelayOptions, TimeoutLimits {
  readonly github: Pick<
    GitHub,
    "checkRuns" | "createCheckRun" | "updateCheckRun" | "pullRequest" | "defaultBranch"
  >;
  readonly broker: Pick<Broker, "inspect">;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly addresses: Addresses;
  /** `owner/name` in lower case of each repository served. */
  readonly repos: ReadonlySet<string>;
}

type Applied = Written | "unchanged" | "ended";

const nothing: HandlerResult = { publish: [], settle: ack };

/** Keeps one check run per project, system and commit, and the overall check. */
export class CheckRunReconciler {
  readonly #options: ReconcilerOptions;
  readonly #mutex = new KeyedMutex();
  readonly #builders: ConnectedBuilders;
  readonly #timeouts: CheckRunTimeouts;
  readonly #written = new RecentlyWritten();
  readonly #writer: CheckWriter;
  readonly #pending = new PendingChanges();
  readonly #branches: DefaultBranches;
  readonly #overall: OverallReconciler;
  readonly #redeliveryDelay: RedeliveryDelay;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#redeliveryDelay = new RedeliveryDelay(options);
    this.#builders = new ConnectedBuilders(options);
    this.#timeouts = new CheckRunTimeouts({ ...options, builders: this.#builders });
    this.#branches = new DefaultBranches(options);
    this.#writer = new CheckWriter({ ...options, written: this.#written });
    this.#overall = new OverallReconciler({ ...options, written: this.#written });
  }

  /**
   * Brings every check run of a message up to date. Throws a `Requeue` if the role stops while the
   * previous instance may still be writing.
   */
  async handle(
    message: CheckMessage,
    delivery: Delivery,
    stop: AbortSignal,
  ): Promise<HandlerResult> {
    const repo = repoOf(message);
    if (!this.#options.repos.has(repo.full_name.toLowerCase())) {
      throw new PoisonMessage(`Cannot report to ${repo.full_name}: not in runner.repos`);
    }
    // A lost message is another instance's now, and settling it has no effect.
    if (!await this.#redeliveryDelay.wait(delivery, stop)) return nothing;
    switch (message.kind) {
      case "watch":
        return await this.#watch(message.watch);
      case "evaluation":
        return await this.#take(message.notice, delivery);
      case "overall": {
        const { head_sha, name } = message.overall;
        const target = overallTarget(repo, head_sha, name);
        return await this.#mutex.run(
          target.key,
          () => this.#overall.look(target, message.overall, delivery),
        );
      }
      default:
        return await this.#build(message, delivery);
    }
  }

  async #watch(watch: CheckWatch): Promise<HandlerResult> {
    const key = keyOf(watch.repo, watch.head_sha, watch.name);
    return await this.#mutex.run(key, () => this.#timeouts.look(watch));
  }

  async #take(notice: EvaluationNotice, delivery: Delivery): Promise<HandlerResult> {
    const { repo, pr: { head_sha, target_branch } } = notice;
    const suffix = await this.#branches.suffix(repo, target_branch);
    if (suffix === undefined) return this.#noRepository(repo);
    const target = overallTarget(repo, head_sha, overallName(suffix));
    return await this.#mutex.run(target.key, () => this.#overall.take(target, notice, delivery));
  }

  async #build(message: BuildMessage, delivery: Delivery): Promise<HandlerResult> {
    const { repo, pr, push } = subjectOf(message);
    const ofPush = isPush({ pr, push });
    const suffix = ofPush ? "" : await this.#branches.suffix(repo, pr.target_branch);
    if (suffix === undefined) return this.#noRepository(repo);
    const changes = checkRunChanges(message, {
      suffix,
      projects: await this.#missingProjects(message, delivery),
    });
    if (changes.length === 0) this.#noteNobody(message);
    const applied = await settleAll(changes.map((change) => this.#apply(change, delivery)));
    const queued = message.kind === "queued";
    const watched = queued ? changes.filter((_, index) => isWaiting(applied[index]!)) : [];
    // A new queued check run tells the overall check nothing new.
    const told = applied.includes("written") || (!queued && applied.includes("created"));
    const changed = !ofPush && (delivery.redelivered || told);
    const overall = changed
      ? [refreshMessage({ repo, sha: pr.head_sha, name: overallName(suffix) })]
      : [];
    return { publish: [...watched.map(watchOf), ...overall], settle: ack };
  }

  #noRepository({ full_name: repo }: Repo): HandlerResult {
    this.#options.log.warn("Cannot report builds: GitHub has no such repository", { repo });
    return nothing;
  }

  #noteNobody(message: BuildMessage): void {
    this.#options.log.warn("Message names no project, and no check run waits for it", {
      kind: message.kind,
      repo: repoOf(message).full_name,
      headSha: subjectOf(message).pr.head_sha,
    });
  }

  /**
   * A result of the Rust bot may name no project: it is for the check runs that wait for its
   * request.
   */
  async #missingProjects(message: BuildMessage, { tries }: Delivery): Promise<string[]> {
    if (message.kind !== "result" || namesProjects(message.result)) return [];
    const { repo, pr } = message.result;
    const runs = await this.#options.github.checkRuns(repo, pr.head_sha);
    if (runs === undefined) {
      retryIfEarly(new Error(`GitHub shows no commit ${pr.head_sha}`), tries);
    }
    return projectsAwaiting(message.result, runs ?? []);
  }

  #apply(change: CheckRunChange, { lost, tries }: Delivery): Promise<Applied> {
    const { repo, pr } = change.subject;
    const key = keyOf(repo, pr.head_sha, change.name);
    this.#pending.add(key, change);
    return this.#mutex.run(key, async () => {
      // GitHub allows few writes: skip a state that is already outdated.
      if (this.#pending.take(key, change)) return "unchanged";
      const runs = await this.#options.github.checkRuns(repo, pr.head_sha, change.name);
      if (runs === undefined) return this.#writer.noCommit(change, tries);
      const current = this.#written.fresher(key, newest(runs), this.#options.now());
      const now = new Date(this.#options.now()).toISOString();
      const owner = await this.#ownerOf(change, current);
      const made = transition(current, updateOf(change), { now, owner });
      this.#note(change, made);
      if (made.kind === "nothing") return current?.status === "completed" ? "ended" : "unchanged";
      const state = made.kind === "remember"
        ? rememberingState(current!, made)
        : stateOf(change, made, { facts: await this.#writeFacts(change, now), current });
      // Another instance has the message now, and may be ahead of us.
      if (lost.aborted) return "unchanged";
      return await this.#writer.write(change, { state, current, tries });
    });
  }

  async #writeFacts(change: CheckRunChange, now: string): Promise<WriteFacts> {
    const queued = change.buildState.status === "queued";
    const queue = queued ? await this.#builders.queue(change.subject.system) : {};
    return { now, queue, addresses: this.#options.addresses };
  }

  /** The check run's pull request, if it shows the build of another one than the change's. */
  async #ownerOf(
    change: CheckRunChange,
    current: CheckRun | undefined,
  ): Promise<number | undefined> {
    const { repo, pr } = change.subject;
    const shown = recall(current?.summary ?? "");
    if (!isOfAnother(updateOf(change), shown)) return undefined;
    const { suffix } = parseCheckRunName(change.name);
    const target = overallTarget(repo, pr.head_sha, overallName(suffix));
    return await this.#overall.owner(target, { shown: shown.pull, asking: pr.number });
  }

  #note(change: CheckRunChange, made: Transition): void {
    const { log } = this.#options;
    const fields = { name: change.name, headSha: change.subject.pr.head_sha, made };
    if (made.kind === "remember") {
      log.info("A build is not shown", { ...fields, reason: made.reason });
    } else if (made.kind === "nothing" && made.reason === PULL_IS_OWNER) {
      log.info("A push's build is not shown", { ...fields, branch: change.subject.push?.branch });
    } else log.debug("Check run", { ...fields, status: change.buildState.status });
  }
}

function isWaiting(applied: Applied): boolean {
  return applied === "created" || applied === "written" || applied === "unchanged";
}

function watchOf({ subject: { repo, pr, system }, name }: CheckRunChange): Publication {
  return watchMessage({ repo, head_sha: pr.head_sha, name, system });
}
