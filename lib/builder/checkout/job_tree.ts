/** The checkout that the projects of a job are built in. */
import type { Project } from "../../config/config.ts";
import { sectionOf } from "../../config/sections.ts";
import { describeError } from "../../common/errors.ts";
import { type GitCache, withCacheRepair } from "../../git/cache.ts";
import { type BuilderContext, checkoutRoot } from "../builder_context.ts";
import type { Source } from "./checkout.ts";
import type { ProjectEnd } from "../ends.ts";
import type { JobFolder } from "./job_folder.ts";
import { safeLine } from "../log/lines.ts";
import { needsOf, type Problem, problemOf } from "./needs.ts";
import type { Attempt } from "../result.ts";
import { writeFiles } from "./write_files.ts";
import { CheckoutError } from "./write_tree.ts";

/** What a tree is written from. */
export interface TreeOptions {
  readonly attempt: Attempt;
  /** How often the job has been delivered, from 1. */
  readonly tries: number;
  readonly builder: BuilderContext;
  readonly folder: JobFolder;
  readonly signal: AbortSignal;
  readonly cache: GitCache;
  readonly source: Source;
  readonly projects: readonly Project[];
}

/** A job's checkout, which is written again for each project after the first. */
export class JobTree {
  readonly #options: TreeOptions;
  #problems: readonly Problem[] = [];
  /** Whether a project was built in the checkout. */
  #used = false;

  constructor(options: TreeOptions) {
    this.#options = options;
  }

  /** Writes files and submodules. Resolves to lines for the log, or to an end if that fails. */
  async write(): Promise<ProjectEnd | { readonly lines: readonly string[] }> {
    const { attempt: { job, system }, builder: { config }, folder } = this.#options;
    const { tries, signal, cache, source, projects } = this.#options;
    const { tree, headSha: head, baseSha: base } = source;
    const built = projects.filter((one) => job.attrs.includes(one.name) && isFor(one, system));
    const options = {
      root: checkoutRoot(config),
      url: job.repo.clone_url,
      sameHost: !sectionOf(config, "builder").network,
      needs: needsOf(built, projects),
      tries,
      signal,
    };
    try {
      const written = await withCacheRepair(
        cache,
        () => writeFiles(cache, { tree, head, base }, { ...options, folders: folder }),
      );
      this.#problems = written.problems;
      return { lines: written.lines.map(safeLine) };
    } catch (error) {
      if (!(error instanceof CheckoutError)) throw error;
      const status = error.fault === "source" ? "Failure" : "UnexpectedError";
      return { status, reason: describeError(error), step: "checkout" };
    }
  }

  /** Ensures that a project starts with only the commit's files; an end if it cannot be built. */
  async readyFor(project: Project): Promise<ProjectEnd | undefined> {
    const problem = problemOf(project, this.#options.projects, this.#problems);
    if (problem) return { status: "Failure", reason: problem.reason, step: "checkout" };
    const used = this.#used;
    this.#used = true;
    if (!used) return undefined;
    await this.#options.folder.renew();
    const written = await this.write();
    return "status" in written ? written : undefined;
  }
}

/** Whether a project is built on a system. */
export function isFor(project: Project, system: string): boolean {
  return project.systems === undefined || (project.systems as string[]).includes(system);
}
