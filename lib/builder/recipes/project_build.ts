/** The options for building one project, and how it ended. */
import type { FirstError } from "../../report/first_error.ts";
import type { JobFolders } from "../checkout/job_folder.ts";
import type { ProcessGuard } from "../sandbox/guard.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** How to build. */
export interface ProjectBuild {
  readonly test: boolean;
  readonly parallelism: number;
  readonly network: boolean;
  readonly timeoutMs: number;
  /** `TICKBORG_*` variables in addition to those that every build gets. */
  readonly env: Readonly<Record<string, string>>;
  readonly folders: JobFolders;
  readonly sandbox: Sandbox;
  readonly guard: ProcessGuard;
  /** Ends the build when it aborts. */
  readonly signal: AbortSignal;
}

/** How a project's build ended. */
export interface ProjectOutcome {
  readonly status: "Success" | "Failure" | "TimedOut" | "Aborted" | "UnexpectedError";
  /** What happened, for people; undefined for a success. */
  readonly reason?: string;
  /** The step that failed or ran last. */
  readonly step?: string;
  /** Its command as a person would type it at the root of a checkout. */
  readonly command?: string;
  /** The first error in its output, with paths in the repository. */
  readonly firstError?: FirstError;
}
