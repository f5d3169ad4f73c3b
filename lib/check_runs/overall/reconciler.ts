/** Keeps overall checks up to date. */
import type { Logger } from "@logtape/logtape";
import { ack, type Delivery } from "../../broker/broker.ts";
import { type CheckRun, type CheckRunState, type GitHub } from "../../github/github.ts";
import type { EvaluationNotice, OverallCheck } from "../../messages/evaluation_notice.ts";
import type { Addresses } from "../../report/parts.ts";
import { retryIfEarly } from "../../runtime/retry.ts";
import type { HandlerResult } from "../../runtime/role.ts";
import { newest } from "../answers.ts";
import { keyOf } from "../key.ts";
import { OVERALL } from "../name.ts";
import { putCheckRun } from "../writer.ts";
import type { RecentlyWritten } from "../written.ts";
import { overallTransition, type OverallTransitionFacts } from "./transition.ts";
import { done, followUp, LOOK_AGAIN_MS, lookAgain } from "./follow_up.ts";
import { evaluateRivals, evaluateRivalsOnce } from "./rivals.ts";
import { type OverallMemory, recallOverall } from "./memory.ts";
import { canWait, WriteThrottle } from "./write_throttle.ts";
import type { OverallTarget } from "./target.ts";
import { isSame, overallState } from "./state.ts";

/** Options of the reconciler of overall checks. */
export interface OverallReconcilerOptions {
  readonly github: Pick<GitHub, "checkRuns" | "createCheckRun" | "updateCheckRun" | "pullRequest">;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly addresses: Addresses;
  /** What this process recently wrote, overall checks and others. */
  readonly written: RecentlyWritten;
  readonly stuckMs: number;
}

/** Keeps overall checks up to date. The caller makes sure that calls for one key do not overlap. */
export class OverallReconciler {
  readonly #options: OverallReconcilerOptions;
  readonly #throttle = new WriteThrottle();

  constructor(options: OverallReconcilerOptions) {
    this.#options = options;
  }

  /** Makes the check show an evaluation, or remember it behind another. */
  async take(
    target: OverallTarget,
    notice: EvaluationNotice,
    delivery: Delivery,
  ): Promise<HandlerResult> {
    const current = await this.#current(target);
    if (current === undefined) return this.#noCommit(target, delivery);
    const memory = current.run && recallOverall(current.run.summary);
    const facts = await this.#transitionFacts(target, { current: current.run, memory, notice });
    const made = overallTransition(memory, notice, facts);
    this.#options.log.debug("Overall check", { name: target.name, headSha: target.sha, made });
    if (delivery.lost.aborted) return done;
    if (made.kind === "left") return { publish: evaluateRivals(target, memory!), settle: ack };
    if (made.kind === "nothing") {
      const again = delivery.redelivered && memory?.request.id === notice.request_id;
      return again ? followUp(target, memory, current.run!) : done;
    }
    const state = await this.#write(target, made.memory, current.run);
    return made.kind === "show" ? followUp(target, made.memory, state) : done;
  }

  async look(
    target: OverallTarget,
    asked: OverallCheck,
    delivery: Delivery,
  ): Promise<HandlerResult> {
    const current = await this.#current(target);
    const memory = current?.run && recallOverall(current.run.summary);
    if (!current?.run || !memory) return done;
    const other = asked.request_id !== undefined && asked.request_id !== memory.request.id;
    if (other || delivery.lost.aborted) return done;
    if (memory.stage !== "ended") {
      const waits = asked.request_id !== undefined;
      return await this.#endIfLeft(target, memory, { run: current.run, waits });
    }
    if (!memory.builds?.length) return done;
    const pause = this.#throttle.untilListing(
      target.key,
      memory.builds.length,
      this.#options.now(),
    );
    if (pause > 0) return this.#later(target, asked, pause);
    const next = await this.#stateOf(target, memory, current.run);
    if (!isSame(next, current.run)) {
      const wait = canWait(next, current.run)
        ? this.#throttle.wait(target.key, this.#options.now())
        : 0;
      if (wait > 0) return this.#later(target, asked, wait);
      await this.#update(target, next, current.run);
    }
    if (next.status === "completed") {
      const rivals = next.conclusion === "cancelled" ? evaluateRivalsOnce(target, memory) : [];
      return { publish: rivals, settle: ack };
    }
    return asked.request_id === undefined ? done : lookAgain;
  }

  /** Ends a check whose evaluation never comes: its pull request has left without a message. */
  async #endIfLeft(
    target: OverallTarget,
    memory: OverallMemory,
    { run, waits }: { run: CheckRun; waits: boolean },
  ): Promise<HandlerResult> {
    // GitHub's API may be behind its webhook.
    const age = this.#options.now() - Date.parse(memory.request.at);
    if (waits && age < LOOK_AGAIN_MS) return lookAgain;
    if (await this.#isOpen(target, memory)) return waits ? lookAgain : done;
    const description = "The pull request has left this commit or this base";
    const left: OverallMemory = { ...memory, stage: "ended", outcome: "superseded", description };
    return followUp(target, left, await this.#write(target, left, run));
  }

  /** The pull request whose builds a commit shows: one of `shown` and `asking`, or another. */
  async owner(
    target: OverallTarget,
    { shown, asking }: { shown: number | undefined; asking: number },
  ): Promise<number | undefined> {
    const current = await this.#current(target);
    const memory = current?.run && recallOverall(current.run.summary);
    if (memory?.pull === asking) return asking;
    // Older peers do not report their evaluations.
    const holder = memory ?? (shown === undefined ? undefined : { pull: shown, base: null });
    return holder && await this.#isOpen(target, holder) ? holder.pull : asking;
  }

  /** GitHub's API may show the commit of an evaluation only after its webhook. */
  #noCommit(
    { repo: { full_name: repo }, sha: headSha }: OverallTarget,
    { tries }: Delivery,
  ): HandlerResult {
    retryIfEarly(new Error(`GitHub shows no commit ${headSha} in ${repo}`), tries);
    this.#options.log.warn("Cannot sum up builds: GitHub has no such commit", { repo, headSha });
    return done;
  }

  #later(target: OverallTarget, asked: OverallCheck, delayMs: number): HandlerResult {
    const settle = { kind: "retry", delayMs, reason: "Too early for GitHub's limits" } as const;
    if (asked.request_id !== undefined) return { publish: [], settle };
    // One waiting message is enough: it reads everything when it is delivered.
    const mine = this.#throttle.defer(target.key, this.#options.now(), delayMs);
    return mine ? { publish: [], settle } : done;
  }

  async #transitionFacts(
    target: OverallTarget,
    { current, memory, notice }: {
      current: CheckRun | undefined;
      memory: OverallMemory | undefined;
      notice: EvaluationNotice;
    },
  ): Promise<OverallTransitionFacts> {
    const other = memory !== undefined && memory.pull !== notice.pr.number;
    return {
      now: new Date(this.#options.now()).toISOString(),
      conclusion: current?.status === "completed" ? current.conclusion : undefined,
      ownerIsOpen: other && await this.#isOpen(target, memory),
    };
  }

  /** Whether a pull request is open with this head and base. */
  async #isOpen(
    { repo, sha }: OverallTarget,
    { pull: number, base }: Pick<OverallMemory, "pull" | "base">,
  ): Promise<boolean> {
    const pull = await this.#options.github.pullRequest(repo, number);
    return pull !== undefined && pull.state === "open" && pull.headSha === sha &&
      (base === null || pull.baseRef === base);
  }

  /** The check run at GitHub; undefined if there is no such commit. */
  async #current(target: OverallTarget): Promise<{ run: CheckRun | undefined } | undefined> {
    const { github, written, now } = this.#options;
    const runs = await github.checkRuns(target.repo, target.sha, target.name);
    if (runs === undefined) return undefined;
    return { run: written.fresher(target.key, newest(runs), now()) };
  }

  async #write(target: OverallTarget, memory: OverallMemory, current: CheckRun | undefined) {
    const state = await this.#stateOf(target, memory, current);
    await this.#update(target, state, current);
    return state;
  }

  async #stateOf(
    target: OverallTarget,
    memory: OverallMemory,
    current: CheckRun | undefined,
  ): Promise<CheckRunState> {
    const { now, stuckMs, addresses } = this.#options;
    const runs = memory.builds?.length ? await this.#buildRuns(target) : [];
    const facts = { runs, suffix: target.name.slice(OVERALL.length), now: now(), stuckMs };
    const { repo, sha: headSha } = target;
    return overallState(memory, { ...facts, repo, headSha, current, addresses });
  }

  /** The commit's check runs, with what this process wrote if GitHub's list is behind. */
  async #buildRuns({ repo, sha }: OverallTarget): Promise<CheckRun[]> {
    const { github, written, now } = this.#options;
    const runs = new Map<string, CheckRun>();
    for (const run of await github.checkRuns(repo, sha) ?? []) {
      const best = newest([run, ...(runs.has(run.name) ? [runs.get(run.name)!] : [])]);
      runs.set(run.name, best!);
    }
    for (const run of written.of(repo, sha, now())) {
      const key = keyOf(repo, sha, run.name);
      runs.set(run.name, written.fresher(key, runs.get(run.name), now())!);
    }
    return [...runs.values()];
  }

  async #update(
    target: OverallTarget,
    state: CheckRunState,
    current: CheckRun | undefined,
  ): Promise<void> {
    const { log, now } = this.#options;
    const put = await putCheckRun(target, { state, current }, this.#options);
    if (put !== "missing") this.#throttle.wrote(target.key, now());
    log.info("Overall check written", {
      repo: target.repo.full_name,
      headSha: target.sha,
      name: target.name,
      status: state.status,
      conclusion: state.conclusion,
      title: state.title,
    });
  }
}
