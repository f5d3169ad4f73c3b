/** Reports one evaluation to GitHub: a pending and a final status, and the labels. */
import type { Logger } from "@logtape/logtape";
import { baseSuffix } from "../check_runs/name.ts";
import { describeError } from "../common/errors.ts";
import {
  type CommitStatus,
  type GitHub,
  GitHubRefusal,
  type PullRequest,
} from "../github/github.ts";
import { labelChanges } from "../projects/labels.ts";
import type { EvaluationJob } from "../messages/evaluation_job.ts";
import {
  contextFor,
  EVALUATION_CONTEXT,
  evaluationMemory,
  evaluationUrl,
  isSuperseded,
  type RequestState,
  requestStateOf,
} from "./status.ts";
import { cut } from "./wording.ts";

export type ReportingGitHub = Pick<
  GitHub,
  "pullRequest" | "statuses" | "setStatus" | "addLabels" | "removeLabel" | "labelsAddedByApp"
>;

export interface ReporterOptions {
  readonly github: ReportingGitHub;
  readonly log: Logger;
  readonly job: EvaluationJob;
  readonly requestId: string;
  readonly requestedAt: string;
  readonly logViewer: string | undefined;
}

/** The content of the final status. */
export interface FinalStatus {
  readonly state: CommitStatus["state"];
  readonly description: string;
  /** The outcome, or what stopped the evaluation. */
  readonly outcome: string;
}

/** The reporter of one evaluation. */
export class EvaluationReporter {
  readonly #options: ReporterOptions;
  #context: string | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /**
   * Finds out whether this request or a later one, and whether an earlier one, was evaluated
   * before. Call this first: it also finds a context that no other pull request uses.
   */
  async requestState(
    pull: Pick<PullRequest, "baseRef" | "defaultBranch">,
  ): Promise<{ requestState: RequestState; earlier: boolean }> {
    const { github, job: { repo, pr, requested_by }, requestId, requestedAt } = this.#options;
    const statuses = await github.statuses(repo, pr.head_sha);
    if (statuses === undefined) return { requestState: "no-such-commit", earlier: false };
    this.#context = contextFor(statuses, pr.number, baseSuffix(pull.baseRef, pull.defaultBranch));
    const asked = requested_by !== undefined;
    const request = { number: pr.number, requestId, requestedAt, asked };
    const earlier = statuses.some((status) => {
      const memory = evaluationMemory(status, pr.number);
      return memory !== undefined && memory.requestId !== requestId;
    });
    return { requestState: requestStateOf(statuses, request), earlier };
  }

  /** Sets the pending status. */
  begin(): Promise<void> {
    return this.#set({ state: "pending", description: "Evaluating what the change touches" });
  }

  /**
   * Sets the final status, unless a later request has ended since this one began: git may have been
   * slow, or GitHub down for hours.
   */
  async setFinalStatus(final: FinalStatus): Promise<void> {
    const { github, log, job, requestId, requestedAt } = this.#options;
    const { repo, pr: { number, head_sha: headSha } } = job;
    const statuses = await github.statuses(repo, headSha);
    this.#context ??= contextFor(statuses ?? [], number, await this.#suffix());
    if (isSuperseded(statuses ?? [], { number, requestId, requestedAt })) {
      log.info("Evaluation was superseded", { repo: repo.full_name, number, headSha, ...final });
      return;
    }
    await this.#set(final);
  }

  /** Updates the labels. Only logs a refusal, because builds must go on without labels. */
  async label(pull: PullRequest, wanted: readonly string[]): Promise<void> {
    const { github, log, job } = this.#options;
    try {
      const present = pull.labels;
      const superfluous = labelChanges({ wanted, present, ours: present }).remove.length > 0;
      const ours = superfluous ? await github.labelsAddedByApp(job.repo, pull.number) : [];
      const { add, remove } = labelChanges({ wanted, present, ours });
      if (add.length > 0) await github.addLabels(job.repo, pull.number, add);
      for (const label of remove) await github.removeLabel(job.repo, pull.number, label);
    } catch (error) {
      if (!(error instanceof GitHubRefusal)) throw error;
      log.warn("Could not change labels", {
        repo: job.repo.full_name,
        number: pull.number,
        error: describeError(error),
      });
    }
  }

  async #suffix(): Promise<string> {
    const { github, job: { repo, pr } } = this.#options;
    const pull = await github.pullRequest(repo, pr.number);
    return pull === undefined ? "" : baseSuffix(pull.baseRef, pull.defaultBranch);
  }

  #set(status: { state: CommitStatus["state"]; description: string; outcome?: string }) {
    const { github, job, requestId, requestedAt, logViewer } = this.#options;
    const place = { repo: job.repo, pr: job.pr, logViewer };
    return github.setStatus(job.repo, job.pr.head_sha, {
      context: this.#context ?? EVALUATION_CONTEXT,
      state: status.state,
      description: cut(status.description),
      targetUrl: evaluationUrl(place, { requestId, requestedAt, outcome: status.outcome }),
    });
  }
}
