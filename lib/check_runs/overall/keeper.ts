/** Keeps the check run up to date that sums up all builds of a pull request. */
import type { Logger } from "@logtape/logtape";
import { ack, type Delivery } from "../../broker/broker.ts";
import { type CheckRun, type CheckRunState, type GitHub } from "../../github/github.ts";
import type { EvaluationNotice, OverallCheck } from "../../messages/evaluation_notice.ts";
import type { Addresses } from "../../report/parts.ts";
import { expectLater } from "../../runtime/retry.ts";
import type { Outcome } from "../../runtime/role.ts";
import { newest } from "../answers.ts";
import { keyOf } from "../key.ts";
import { OVERALL } from "../name.ts";
import { putCheckRun } from "../writer.ts";
import type { RecentlyWritten } from "../written.ts";
import { claim, type ClaimFacts } from "./claim.ts";
import { handOn, handOver } from "./hand_over.ts";
import { type OverallMemory, recallOverall } from "./memory.ts";
import { mayWait, Pace } from "./pace.ts";
import { type Place, tick } from "./place.ts";
import { overallState } from "./state.ts";

/** What the keeper of overall checks works with. */
export interface OverallOptions {
  readonly github: Pick<GitHub, "checkRuns" | "createCheckRun" | "updateCheckRun" | "pullRequest">;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly addresses: Addresses;
  /** What this process wrote lately, overall checks and others. */
  readonly written: RecentlyWritten;
  readonly stuckMs: number;
}

/** Milliseconds until an overall check that waits for builds is looked at again, whatever was heard. */
const LOOK_AGAIN_MS = 120_000;

const done: Outcome = { publish: [], settle: ack };

const lookAgain: Outcome = {
  publish: [],
  settle: { kind: "retry", delayMs: LOOK_AGAIN_MS, reason: "Watching" },
};

/** Keeps overall checks; the caller sees to it that one key's calls come one after the other. */
export class OverallKeeper {
  readonly #options: OverallOptions;
  readonly #pace = new Pace();

  constructor(options: OverallOptions) {
    this.#options = options;
  }

  /** Has the check show an evaluation, or remember it behind another. */
  async take(place: Place, notice: EvaluationNotice, delivery: Delivery): Promise<Outcome> {
    const current = await this.#current(place);
    if (current === undefined) return this.#noCommit(place, delivery);
    const memory = current.run && recallOverall(current.run.summary);
    const facts = await this.#claimFacts(place, { current: current.run, memory, notice });
    const made = claim(memory, notice, facts);
    this.#options.log.debug("Overall check", { name: place.name, headSha: place.sha, made });
    if (delivery.lost.aborted) return done;
    if (made.kind === "left") return { publish: handOver(place, memory!), settle: ack };
    if (made.kind === "nothing") {
      const again = delivery.redelivered && memory?.request.id === notice.request_id;
      return again ? followUp(place, memory, current.run!) : done;
    }
    const state = await this.#write(place, made.memory, current.run);
    return made.kind === "show" ? followUp(place, made.memory, state) : done;
  }

  /** Brings the check up to date with its builds. */
  async look(place: Place, asked: OverallCheck, delivery: Delivery): Promise<Outcome> {
    const current = await this.#current(place);
    const memory = current?.run && recallOverall(current.run.summary);
    if (!current?.run || !memory) return done;
    const other = asked.request_id !== undefined && asked.request_id !== memory.request.id;
    if (other || delivery.lost.aborted) return done;
    if (memory.stage !== "ended") {
      const waits = asked.request_id !== undefined;
      return await this.#endIfLeft(place, memory, { run: current.run, waits });
    }
    if (!memory.builds?.length) return done;
    const pause = this.#pace.untilListing(place.key, memory.builds.length, this.#options.now());
    if (pause > 0) return this.#later(place, asked, pause);
    const next = await this.#stateOf(place, memory, current.run);
    if (!isSame(next, current.run)) {
      const wait = mayWait(next, current.run) ? this.#pace.wait(place.key, this.#options.now()) : 0;
      if (wait > 0) return this.#later(place, asked, wait);
      await this.#update(place, next, current.run);
    }
    if (next.status === "completed") {
      const waiting = next.conclusion === "cancelled" ? handOn(place, memory) : [];
      return { publish: waiting, settle: ack };
    }
    return asked.request_id === undefined ? done : lookAgain;
  }

  /** Ends what waits for an evaluation that never comes: its pull request has left, and nobody said so. */
  async #endIfLeft(
    place: Place,
    memory: OverallMemory,
    { run, waits }: { run: CheckRun; waits: boolean },
  ): Promise<Outcome> {
    // GitHub's API may not show yet what its webhook told.
    const age = this.#options.now() - Date.parse(memory.request.at);
    if (waits && age < LOOK_AGAIN_MS) return lookAgain;
    if (await this.#isOpen(place, memory)) return waits ? lookAgain : done;
    const description = "The pull request has left this commit or this base";
    const left: OverallMemory = { ...memory, stage: "ended", outcome: "superseded", description };
    return followUp(place, left, await this.#write(place, left, run));
  }

  /** The pull request whose builds are shown on a commit: one of `shown` and `asking`, or another. */
  async owner(
    place: Place,
    { shown, asking }: { shown: number | undefined; asking: number },
  ): Promise<number | undefined> {
    const current = await this.#current(place);
    const memory = current?.run && recallOverall(current.run.summary);
    if (memory?.pull === asking) return asking;
    // Evaluations of older peers are not told.
    const holder = memory ?? (shown === undefined ? undefined : { pull: shown, base: null });
    return holder && await this.#isOpen(place, holder) ? holder.pull : asking;
  }

  /** The commit of an evaluation may come to GitHub's API after its webhook. */
  #noCommit({ repo: { full_name: repo }, sha: headSha }: Place, { attempt }: Delivery): Outcome {
    expectLater(new Error(`GitHub shows no commit ${headSha} in ${repo}`), attempt);
    this.#options.log.warn("No commit to sum up builds on", { repo, headSha });
    return done;
  }

  #later(place: Place, asked: OverallCheck, delayMs: number): Outcome {
    const settle = { kind: "retry", delayMs, reason: "Too early for GitHub's limits" } as const;
    if (asked.request_id !== undefined) return { publish: [], settle };
    // One that waits brings all news with it.
    const mine = this.#pace.defer(place.key, this.#options.now(), delayMs);
    return mine ? { publish: [], settle } : done;
  }

  async #claimFacts(
    place: Place,
    { current, memory, notice }: {
      current: CheckRun | undefined;
      memory: OverallMemory | undefined;
      notice: EvaluationNotice;
    },
  ): Promise<ClaimFacts> {
    const other = memory !== undefined && memory.pull !== notice.pr.number;
    return {
      now: new Date(this.#options.now()).toISOString(),
      conclusion: current?.status === "completed" ? current.conclusion : undefined,
      holderOpen: other && await this.#isOpen(place, memory),
    };
  }

  /** Whether a pull request is open with this head and base. */
  async #isOpen(
    { repo, sha }: Place,
    { pull: number, base }: Pick<OverallMemory, "pull" | "base">,
  ): Promise<boolean> {
    const pull = await this.#options.github.pullRequest(repo, number);
    return pull !== undefined && pull.state === "open" && pull.headSha === sha &&
      (base === null || pull.baseRef === base);
  }

  /** The check run as it is; undefined if there is no such commit. */
  async #current(place: Place): Promise<{ run: CheckRun | undefined } | undefined> {
    const { github, written, now } = this.#options;
    const runs = await github.checkRuns(place.repo, place.sha, place.name);
    if (runs === undefined) return undefined;
    return { run: written.fresher(place.key, newest(runs), now()) };
  }

  async #write(place: Place, memory: OverallMemory, current: CheckRun | undefined) {
    const state = await this.#stateOf(place, memory, current);
    await this.#update(place, state, current);
    return state;
  }

  async #stateOf(
    place: Place,
    memory: OverallMemory,
    current: CheckRun | undefined,
  ): Promise<CheckRunState> {
    const { now, stuckMs, addresses } = this.#options;
    const runs = memory.builds?.length ? await this.#buildRuns(place) : [];
    const facts = { runs, suffix: place.name.slice(OVERALL.length), now: now(), stuckMs };
    const { repo, sha: headSha } = place;
    return overallState(memory, { ...facts, repo, headSha, current, addresses });
  }

  /** The commit's check runs, as this process wrote them if GitHub's listing is behind. */
  async #buildRuns({ repo, sha }: Place): Promise<CheckRun[]> {
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

  async #update(place: Place, state: CheckRunState, current: CheckRun | undefined): Promise<void> {
    const { log, now } = this.#options;
    const put = await putCheckRun(place, { state, current }, this.#options);
    if (put !== "missing") this.#pace.wrote(place.key, now());
    log.info("Overall check written", {
      repo: place.repo.full_name,
      headSha: place.sha,
      name: place.name,
      status: state.status,
      conclusion: state.conclusion,
      title: state.title,
    });
  }
}

/** What follows once an evaluation is shown; the same however often it is asked. */
function followUp(
  place: Place,
  memory: OverallMemory,
  { status, conclusion }: Pick<CheckRunState, "status" | "conclusion">,
): Outcome {
  // Whoever leaves may have said so before the check was there.
  if (memory.stage === "queued") {
    return { publish: [tick(place, memory.request.id)], settle: ack };
  }
  if (memory.stage !== "ended" || conclusion === "success") return done;
  if (status !== "completed") return { publish: [tick(place, memory.request.id)], settle: ack };
  return { publish: handOn(place, memory), settle: ack };
}

/** Whether there is nothing to write. */
function isSame(next: CheckRunState, current: CheckRun): boolean {
  return next.status === current.status && next.conclusion === current.conclusion &&
    next.title === current.title && (next.text ?? "") === (current.text ?? "");
}
