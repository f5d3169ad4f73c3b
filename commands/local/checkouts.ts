/** Checkouts of the merged tree: each project is built in one that no other build has written to. */
import { join } from "node:path";
import { createJobFolder, type JobFolder } from "../../lib/builder/checkout/job_folder.ts";
import { safeLine } from "../../lib/builder/log/lines.ts";
import { needsOf, type Problem, problemOf } from "../../lib/builder/checkout/needs.ts";
import { writeFiles } from "../../lib/builder/checkout/write_files.ts";
import type { Project } from "../../lib/config/config.ts";
import { sectionOf } from "../../lib/config/sections.ts";
import type { LocalBranch } from "./branch.ts";
import { trackCheckout } from "./checkout_progress.ts";
import type { Session } from "./options.ts";

/** What is checked out. */
export interface Source {
  readonly branch: LocalBranch;
  /** The merged tree. */
  readonly tree: string;
  /** What is built. */
  readonly projects: readonly Project[];
  /** The folder that the checkouts are made in. */
  readonly jobsRoot: string;
}

/** A checkout. */
export interface Checkout {
  readonly folders: JobFolder;
  /** What of it a project needs and could not be had. */
  problemOf(project: Project): Problem | undefined;
}

/** Makes checkouts, and takes them away unless they are to be kept. */
export class Checkouts {
  readonly #source: Source;
  readonly #session: Session;
  readonly #made: JobFolder[] = [];
  #fresh: Checkout | undefined;
  #count = 0;

  constructor(source: Source, session: Session) {
    this.#source = source;
    this.#session = session;
  }

  /** One that nothing was built in, to look at. */
  async fresh(): Promise<Checkout> {
    return this.#fresh ??= await this.#make();
  }

  /** One that nothing was built in, to build in. */
  async take(): Promise<Checkout> {
    const checkout = await this.fresh();
    this.#fresh = undefined;
    return checkout;
  }

  /** Removes all that were made. */
  async close(): Promise<void> {
    if (this.#session.options.keep) return;
    for (const folders of this.#made.splice(0)) await folders.remove();
  }

  async #make(): Promise<Checkout> {
    await this.close();
    const first = this.#count++ === 0;
    const folders = await createJobFolder(this.#source.jobsRoot, `${this.#count}`);
    this.#made.push(folders);
    const { lines, problems } = await this.#write(folders);
    if (first) this.#session.screen.lines(lines.map(safeLine));
    return {
      folders,
      problemOf: (project) => problemOf(project, this.#projects, problems),
    };
  }

  get #projects(): readonly Project[] {
    const { list } = this.#source.branch.facts;
    return list.kind === "list" ? list.projects : [];
  }

  async #write(folders: JobFolder) {
    const { branch: { repository, stores, url, facts: { base, head } }, tree, projects } =
      this.#source;
    const { folder, config, signal, screen } = this.#session;
    using watch = trackCheckout({ repository, tree, folder: folders.tree });
    screen.progress("checking out the merged tree", () => watch.howFar());
    return await writeFiles(repository, { tree, head, base }, {
      folders,
      root: join(folder, "submodules"),
      url,
      sameHost: !sectionOf(config, "builder").network,
      needs: needsOf(projects, this.#projects),
      tries: Infinity,
      stores: [join(folder, "lfs"), ...stores],
      signal,
    });
  }
}
