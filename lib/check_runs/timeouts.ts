/** Gives up check runs that have had no builder or no result for too long. */
import type { Logger } from "@logtape/logtape";
import { ack } from "../broker/broker.ts";
import { type CheckRun, type CheckRunState, type GitHub, isMissing } from "../github/github.ts";
import type { CheckWatch } from "../messages/check_watch.ts";
import { type GivenUp, givenUpReport } from "../report/given_up.ts";
import type { Addresses } from "../report/parts.ts";
import type { HandlerResult } from "../runtime/role.ts";
import { newest, refused } from "./answers.ts";
import type { ConnectedBuilders } from "./connected_builders.ts";
import { CONCLUSION_RANK, recall, remember } from "./identity.ts";
import { overallName, parseCheckRunName } from "./name.ts";
import { refreshMessage } from "./overall/target.ts";
import { decideTimeout, type TimeoutLimits } from "./timeout_rules.ts";

/** Options of {@link CheckRunTimeouts}. */
export interface TimeoutsOptions extends TimeoutLimits {
  readonly github: Pick<GitHub, "checkRuns" | "updateCheckRun">;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly addresses: Addresses;
  readonly builders: ConnectedBuilders;
}

/** Handles watch messages. */
export class CheckRunTimeouts {
  readonly #options: TimeoutsOptions;

  constructor(options: TimeoutsOptions) {
    this.#options = options;
  }

  /** Gives up the check run, checks it again later, or has nothing more to do. */
  async look(watch: CheckWatch): Promise<HandlerResult> {
    const { github, builders, now } = this.#options;
    const done: HandlerResult = { publish: [], settle: ack };
    const run = newest(await github.checkRuns(watch.repo, watch.head_sha, watch.name) ?? []);
    if (run === undefined || run.status === "completed") return done;
    const noBuilderFor = await builders.noBuilderFor(watch.system);
    const decision = decideTimeout(run, { ...this.#options, now: now(), noBuilderFor });
    if (decision.kind === "wait") {
      const settle = { kind: "retry", delayMs: decision.delayMs, reason: "Watching" } as const;
      return { publish: [], settle };
    }
    await this.#giveUp(watch, run, decision);
    const { repo, head_sha: sha, name } = watch;
    const overall = refreshMessage({
      repo,
      sha,
      name: overallName(parseCheckRunName(name).suffix),
    });
    return { publish: [overall], settle: ack };
  }

  async #giveUp(watch: CheckWatch, run: CheckRun, given: GivenUp): Promise<void> {
    const { github, log } = this.#options;
    const { reason, seconds } = given;
    log.warn("Gave up check run", { name: run.name, headSha: run.headSha, reason, seconds });
    try {
      await github.updateCheckRun(watch.repo, run.id, this.#givenUpState(watch, run, given));
    } catch (error) {
      if (!isMissing(error)) throw refused(error, run.name);
    }
  }

  #givenUpState({ system }: CheckWatch, run: CheckRun, given: GivenUp): CheckRunState {
    const { addresses, now } = this.#options;
    const { project } = parseCheckRunName(run.name);
    const { title, summary } = givenUpReport({ project, system }, given, addresses);
    const memory = { ...recall(run.summary), certainty: CONCLUSION_RANK.givenUp };
    return {
      status: "completed",
      conclusion: "failure",
      externalId: run.externalId,
      title,
      summary: `${summary}\n\n${remember(memory)}`,
      detailsUrl: run.detailsUrl,
      completedAt: new Date(now()).toISOString(),
    };
  }
}
