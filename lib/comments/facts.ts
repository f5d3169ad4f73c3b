/** What a comment is decided from. */
import type { OverallMemory } from "../check_runs/overall/memory.ts";
import type { Config } from "../config/config.ts";
import type { CommentEvent } from "../github/comment_payloads.ts";
import type { CheckRun, PullRequest } from "../github/github.ts";
import type { ProjectList } from "../projects/projects.ts";
import type { Approval } from "./approval.ts";
import type { Command } from "./command.ts";

/** Everything a comment is decided from. */
export interface CommentFacts {
  readonly event: CommentEvent;
  readonly commands: readonly Command[];
  readonly pull: PullRequest;
  /** Whether who commented is trusted. */
  readonly trusted: boolean;
  /** Whether the pull request's author is. */
  readonly authorTrusted: boolean;
  readonly approval: Approval;
  readonly list: ProjectList;
  /** The head's project list, which counts for who is trusted alone; undefined where nobody looked. */
  readonly headList?: ProjectList | undefined;
  /** Request ids that check runs of the head show already. */
  readonly known: ReadonlySet<string>;
  /** Check runs of the head whose builds have begun lately, by their request ids. */
  readonly running: ReadonlyMap<string, CheckRun>;
  /** Check runs of the head. */
  readonly runs: readonly CheckRun[];
  /** What the names of the pull request's check runs end with: see `baseSuffix`. */
  readonly suffix: string;
  /** What the head's overall check remembers. */
  readonly overall: OverallMemory | undefined;
  /** Request ids of the pull request's evaluations of the head. */
  readonly evaluations: readonly string[];
  readonly tries: number;
  readonly config: Pick<Config, "github" | "mass_rebuilder">;
}

/** What is known of a comment before anything else is asked. */
export type Comment = Pick<CommentFacts, "event" | "commands" | "pull" | "tries">;
