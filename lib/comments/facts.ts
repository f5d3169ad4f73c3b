/** The facts about a comment. */
import type { OverallMemory } from "../check_runs/overall/memory.ts";
import type { Config } from "../config/config.ts";
import type { CommentEvent } from "../github/comment_payloads.ts";
import type { CheckRun, PullRequest } from "../github/github.ts";
import type { ProjectList } from "../projects/projects.ts";
import type { Approval } from "./approval.ts";
import type { Command } from "./command.ts";

/** The facts that decide how to handle a comment. */
export interface CommentFacts {
  readonly event: CommentEvent;
  readonly commands: readonly Command[];
  readonly pull: PullRequest;
  /** Whether the commenter is trusted. */
  readonly trusted: boolean;
  /** Whether the pull request's author is trusted. */
  readonly authorTrusted: boolean;
  readonly approval: Approval;
  readonly list: ProjectList;
  /** The head's project list, only for trusted people; undefined if it was not read. */
  readonly headList?: ProjectList | undefined;
  /** Request ids in check runs of the head. */
  readonly known: ReadonlySet<string>;
  /** Check runs of the head with recently started builds, by their request ids. */
  readonly running: ReadonlyMap<string, CheckRun>;
  /** Check runs of the head. */
  readonly runs: readonly CheckRun[];
  /** The suffix of the pull request's check run names: see `baseSuffix`. */
  readonly suffix: string;
  /** The memory of the head's overall check. */
  readonly overall: OverallMemory | undefined;
  /** Request ids of the pull request's evaluations of the head. */
  readonly evaluations: readonly string[];
  readonly tries: number;
  readonly config: Pick<Config, "github" | "mass_rebuilder">;
}

/** The facts known before {@link CommentFacts} are gathered. */
export type Comment = Pick<CommentFacts, "event" | "commands" | "pull" | "tries">;
