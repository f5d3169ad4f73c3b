/** The work of an attempt: finds out what to build, builds it and writes the log. */
import { join } from "node:path";
import type { Project } from "../config/config.ts";
import { sectionOf } from "../config/sections.ts";
import { buildProject } from "./build_project.ts";
import type { ProjectBuild } from "./recipes/project_build.ts";
import { type BuilderContext, checkoutRoot } from "./builder_context.ts";
import { type EarlyEnd, prepareSource, type Source } from "./checkout/checkout.ts";
import { PROJECTS_FILE } from "../projects/projects.ts";
import {
  DISK_FULL_END,
  earlyEnd,
  leftOut,
  type ProjectEnd,
  unknownProject,
  withoutList,
} from "./ends.ts";
import { saysDiskFull } from "./sandbox/full_disk.ts";
import type { JobFolder } from "./checkout/job_folder.ts";
import { safeLine, Tail } from "./log/lines.ts";
import { withoutJobFolder } from "./log/repository_paths.ts";
import type { LogStream } from "./log/log_stream.ts";
import type { Attempt, AttemptEnd, ProjectResult } from "./result.ts";
import { isFor, JobTree } from "./checkout/job_tree.ts";

/** How much of the end of a log a result shows. */
const OUTPUT = { lines: 100, characters: 32 * 1024 } as const;

/** What an attempt works with. */
export interface JobBuildOptions {
  readonly attempt: Attempt;
  /** How often the job has been delivered, from 1. */
  readonly tries: number;
  readonly builder: BuilderContext;
  readonly folder: JobFolder;
  readonly stream: LogStream;
  readonly signal: AbortSignal;
}

/** The work of an attempt, except publishing. */
export class JobBuild {
  readonly #options: JobBuildOptions;
  #prepared: Awaited<ReturnType<typeof prepareSource>> | undefined;

  constructor(options: JobBuildOptions) {
    this.#options = options;
  }

  /** Finds out which projects are built and which are left out. */
  async prepare(): Promise<{ attempted: string[]; skipped: string[] }> {
    const { attempt: { job, system }, tries, builder: { config }, signal } = this.#options;
    try {
      const root = checkoutRoot(config);
      this.#prepared = await prepareSource(job, { config, root, tries, signal });
    } catch (error) {
      if (!cancelled(signal)) throw error;
    }
    const projects = this.#prepared && "source" in this.#prepared
      ? listOf(this.#prepared.source)
      : [];
    const isLeftOut = (name: string) => {
      const project = projects.find((listed) => listed.name === name);
      return project !== undefined && !isFor(project, system);
    };
    return {
      attempted: job.attrs.filter((name) => !isLeftOut(name)),
      skipped: job.attrs.filter(isLeftOut),
    };
  }

  /** Builds the projects and ends the log. */
  async run(): Promise<AttemptEnd> {
    const { stream, builder } = this.#options;
    try {
      const prepared = this.#prepared;
      const outcomes = await this.#outcomes();
      const baseSha = prepared && "source" in prepared ? prepared.source.baseSha : undefined;
      await stream.end();
      return { outcomes, baseSha, logLines: stream.written, endedAt: builder.now() };
    } finally {
      // Also after an error, so that the reader finishes.
      await stream.end().catch(() => {});
    }
  }

  async #outcomes(): Promise<ProjectResult[]> {
    const { signal } = this.#options;
    try {
      if (this.#prepared && "source" in this.#prepared) return await this.#buildAll(this.#prepared);
      if (this.#prepared) return await this.#all(earlyEnd(this.#prepared));
    } catch (error) {
      // Do not write to the log: it may wait on the same disk.
      if (saysDiskFull(error)) return this.#same(DISK_FULL_END, [DISK_FULL_END.reason]);
      if (!cancelled(signal)) throw error;
    }
    return await this.#all({ status: "Cancelled", reason: `${signal.reason}` });
  }

  /** Ends every project of the job in the same way and writes the reason to the log. */
  async #all(end: ProjectEnd): Promise<ProjectResult[]> {
    const reason = safeLine(end.reason ?? "");
    await this.#options.stream.write([reason]);
    return this.#same({ ...end, reason }, [reason]);
  }

  #same(end: ProjectEnd, output: readonly string[]): ProjectResult[] {
    return this.#options.attempt.job.attrs.map((name) => ({ project: name, output, ...end }));
  }

  async #buildAll(
    { cache, source }: Exclude<Awaited<ReturnType<typeof prepareSource>>, EarlyEnd>,
  ): Promise<ProjectResult[]> {
    const { attempt: { job }, stream, signal } = this.#options;
    const { projects } = source;
    if (projects.kind !== "list") return await this.#all(withoutList(projects));
    const merged = source.baseSha ? `${job.pr.head_sha} merged into ${source.baseSha}` : undefined;
    const by = job.definition === "merged" ? `, by the merged ${PROJECTS_FILE}` : "";
    await stream.write([`Building ${merged ?? job.pr.head_sha}${by}`]);
    const tree = new JobTree({ ...this.#options, cache, source, projects: projects.projects });
    const written = await tree.write();
    if ("status" in written) return await this.#all(written);
    await stream.write(written.lines);
    const outcomes: ProjectResult[] = [];
    for (const name of new Set(job.attrs)) {
      outcomes.push(
        cancelled(signal)
          ? { project: name, status: "Cancelled", reason: `${signal.reason}`, output: [] }
          : await this.#buildOne(name, projects.projects, tree),
      );
    }
    return outcomes;
  }

  async #buildOne(
    name: string,
    projects: readonly Project[],
    tree: JobTree,
  ): Promise<ProjectResult> {
    const { attempt: { system }, stream } = this.#options;
    const project = projects.find((listed) => listed.name === name);
    if (project === undefined || !isFor(project, system)) {
      const end = project === undefined ? unknownProject(name, projects) : leftOut(project, system);
      await stream.write([end.reason!]);
      return { project: name, output: [end.reason!], ...end };
    }
    const early = await tree.readyFor(project);
    if (early === undefined) return await this.#build(project);
    const reason = safeLine(early.reason ?? "");
    await stream.write([reason]);
    return { project: name, output: [reason], ...early, reason };
  }

  async #build(project: Project): Promise<ProjectResult> {
    const { stream, signal, folder, builder } = this.#options;
    const { tree, build: builds, home } = builder.sandbox.places(folder);
    const folders = { tree, build: join(builds, project.name), home };
    const workplace = { folders, project: project.name, os: Deno.build.os };
    const tail = new Tail(OUTPUT.lines, OUTPUT.characters);
    const build = buildProject(project, this.#howToBuild(project));
    try {
      let next = await build.next();
      for (; !next.done; next = await build.next()) {
        tail.push(next.value);
        await stream.write(next.value);
      }
      const { status, ...rest } = next.value;
      const output = tail.lines().map((line) => withoutJobFolder(line, workplace));
      if (status !== "Aborted") return { project: project.name, status, output, ...rest };
      if (!cancelled(signal)) throw signal.reason;
      const reason = `${signal.reason}`;
      return { project: project.name, output, ...rest, status: "Cancelled", reason };
    } finally {
      await build.return(undefined as never);
    }
  }

  #howToBuild(project: Project): ProjectBuild {
    const { attempt: { job, system }, builder, folder, signal } = this.#options;
    const { config } = builder;
    const seconds = project.build_timeout_seconds ?? config.build!.build_timeout_seconds;
    return {
      ...builder,
      folders: folder,
      signal,
      test: job.test ?? false,
      network: sectionOf(config, "builder").network,
      timeoutMs: seconds * 1_000,
      env: {
        TICKBORG_PROJECT: project.name,
        TICKBORG_SYSTEM: system,
        TICKBORG_REPOSITORY: job.repo.full_name,
        TICKBORG_HEAD_SHA: job.pr.head_sha,
      },
    };
  }
}

/** Whether a build ends because it was cancelled, and not because the builder stops. */
function cancelled(signal: AbortSignal): boolean {
  return signal.aborted && typeof signal.reason === "string";
}

function listOf({ projects }: Source): readonly Project[] {
  return projects.kind === "list" ? projects.projects : [];
}
