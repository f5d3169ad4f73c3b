/** What a check run is about. */
import type { BuildJob } from "../messages/build_job.ts";
import type { BuildResult } from "../messages/build_result.ts";
import type { Pr, PushTrigger, Repo } from "../messages/repo.ts";

/** The build of a check run: the fields that jobs and results share. */
export interface BuildSubject {
  readonly repo: Repo;
  readonly pr: Pr;
  readonly push?: PushTrigger | null | undefined;
  readonly project: string;
  readonly system: string;
  readonly test: boolean;
  readonly baseSha: string | undefined;
  /** Whether it uses the merged project list's definition; results do not say. */
  readonly definition?: "merged" | undefined;
}

/** Whether a push triggered the build: it has no pull request, and the commit is not merged. */
export function isPush({ push, pr }: Pick<BuildSubject, "push" | "pr">): boolean {
  return Boolean(push) || pr.number === 0;
}

/** The subject of a job's check run. */
export function jobSubject(job: BuildJob, project: string, system: string): BuildSubject {
  const { repo, pr, push } = job;
  const { test = false, base_sha: baseSha, definition } = job;
  return { repo, pr, push, project, system, test, baseSha, definition };
}

/** The subject of a result's check run. */
export function resultSubject(result: BuildResult, project: string): BuildSubject {
  const { repo, pr, push, system } = result;
  const baseSha = result.base_sha ?? undefined;
  return { repo, pr, push, project, system, test: result.test ?? false, baseSha };
}
