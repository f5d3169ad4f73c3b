/** Tells GitHub about one evaluation: one pending and one final status, and the labels. */
import type { Logger } from "@logtape/logtape";
import { describeError } from "../errors.ts";
import {
  type CommitStatus,
  type GitHub,
  GitHubRefusal,
  type PullRequest,
} from "../github/github.ts";
import { labelChanges } from "../projects/labels.ts";
import type { EvaluationJob } from "../messages/evaluation_job.ts";
import {
  EVALUATION_CONTEXT,
  type EvaluationMemory,
  evaluationMemory,
  evaluationUrl,
} from "./status.ts";
import { cut } from "./wording.ts";

/** What a reporter uses of GitHub. */
export type ReportingGitHub = Pick<
  GitHub,
  "statuses" | "setStatus" | "addLabels" | "removeLabel" | "labelsAddedByApp"
>;

/** What a reporter needs. */
export interface ReporterOptions {
  readonly github: ReportingGitHub;
  readonly log: Logger;
  readonly job: EvaluationJob;
  readonly requestId: string;
  readonly requestedAt: string;
  readonly logViewer: string | undefined;
}

/** The outcome of an evaluation whose message went to the dead letters. */
export const GIVEN_UP = "given-up";

/** How an evaluation ended, as its status says it. */
export interface Conclusion {
  readonly state: CommitStatus["state"];
  readonly description: string;
  /** The verdict, or what stopped the evaluation. */
  readonly outcome: string;
}

/** What the commit says of an evaluation before it begins. */
export type Progress = "new" | "begun" | "done" | "no-such-commit";

/** The reporter of one evaluation. */
export class EvaluationReporter {
  readonly #options: ReporterOptions;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Finds out whether this request, or a later one, was evaluated before. */
  async progress(): Promise<Progress> {
    const { github, job, requestId, requestedAt } = this.#options;
    const statuses = await github.statuses(job.repo, job.pr.head_sha);
    return statuses === undefined ? "no-such-commit" : evaluationProgress(statuses, {
      number: job.pr.number,
      requestId,
      requestedAt,
      asked: job.requested_by !== undefined,
    });
  }

  /** Sets the pending status. */
  begin(): Promise<void> {
    return this.#set({ state: "pending", description: "Evaluating what the change touches" });
  }

  /**
   * Sets the final status, unless a later request was concluded since this one began: git may have been
   * slow, or GitHub may not have taken this status for hours.
   */
  async conclude(conclusion: Conclusion): Promise<void> {
    const { github, log, job, requestId, requestedAt } = this.#options;
    const { repo, pr: { number, head_sha: head } } = job;
    const statuses = await github.statuses(repo, head);
    if (isOvertaken(statuses ?? [], { number, requestId, requestedAt })) {
      log.info("Evaluation was overtaken", { repo: repo.full_name, number, head, ...conclusion });
      return;
    }
    await this.#set(conclusion);
  }

  /** Brings the labels up to date. A refusal is logged: labels are no reason not to build. */
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
      log.warn("Labels could not be changed", {
        repo: job.repo.full_name,
        number: pull.number,
        error: describeError(error),
      });
    }
  }

  #set(status: { state: CommitStatus["state"]; description: string; outcome?: string }) {
    const { github, job, requestId, requestedAt, logViewer } = this.#options;
    const place = { repo: job.repo, pr: job.pr, logViewer };
    return github.setStatus(job.repo, job.pr.head_sha, {
      context: EVALUATION_CONTEXT,
      state: status.state,
      description: cut(status.description),
      targetUrl: evaluationUrl(place, { requestId, requestedAt, outcome: status.outcome }),
    });
  }
}

/** A request to evaluate the pull request of this number. */
export interface EvaluationRequest extends Pick<EvaluationMemory, "requestId" | "requestedAt"> {
  readonly number: number;
  /** Whether somebody asked in a comment. */
  readonly asked: boolean;
}

/** What a commit's statuses, newest first, say of a request. */
export function evaluationProgress(
  statuses: readonly CommitStatus[],
  request: EvaluationRequest,
): Exclude<Progress, "no-such-commit"> {
  const memories = statuses.flatMap((status) => evaluationMemory(status, request.number) ?? [])
    // An operator who replays the dead letter wants it evaluated.
    .map((memory) => memory.outcome === GIVEN_UP ? { ...memory, outcome: undefined } : memory);
  const own = memories.filter(({ requestId }) => requestId === request.requestId);
  if (own.some(({ outcome }) => outcome !== undefined)) return "done";
  // An older event that was delayed must not take the newer one's place; what a person asks for is more
  // than an event has done, and the same commit.
  if (!request.asked && memories.some((memory) => isLaterEnd(memory, request))) return "done";
  return memories[0]?.requestId === request.requestId ? "begun" : "new";
}

/** Whether a later request was concluded since this one began. `statuses` are a commit's, newest first. */
export function isOvertaken(
  statuses: readonly CommitStatus[],
  request: Omit<EvaluationRequest, "asked">,
): boolean {
  const memories = statuses.flatMap((status) => evaluationMemory(status, request.number) ?? []);
  const began = memories.findIndex(({ requestId }) => requestId === request.requestId);
  return memories.slice(0, began < 0 ? undefined : began)
    .some((memory) => isLaterEnd(memory, request));
}

function isLaterEnd(memory: EvaluationMemory, request: Omit<EvaluationRequest, "asked">): boolean {
  return memory.requestId !== request.requestId && memory.outcome !== undefined &&
    Date.parse(memory.requestedAt) > Date.parse(request.requestedAt);
}
