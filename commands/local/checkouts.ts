/** Checkouts of the merged tree: each project is built in one that no other build has written to. */
import { join } from "node:path";
import { createJobFolder, type JobFolder } from "../../lib/build/job_folder.ts";
import { safeLine } from "../../lib/build/lines.ts";
import { writeSubmodules } from "../../lib/build/submodules.ts";
import { writeTree } from "../../lib/build/write_tree.ts";
import { sectionOf } from "../../lib/config/sections.ts";
import type { LocalBranch } from "./branch.ts";
import { watchCheckout } from "./checkout_progress.ts";
import type { Session } from "./session.ts";

/** What is checked out. */
export interface Source {
  readonly branch: LocalBranch;
  /** The merged tree. */
  readonly tree: string;
  /** The folder that the checkouts are made in. */
  readonly jobsRoot: string;
}

/** Makes checkouts, and takes them away unless they are to be kept. */
export class Checkouts {
  readonly #source: Source;
  readonly #session: Session;
  readonly #made: JobFolder[] = [];
  #fresh: JobFolder | undefined;
  #count = 0;

  constructor(source: Source, session: Session) {
    this.#source = source;
    this.#session = session;
  }

  /** One that nothing was built in, to look at. */
  async fresh(): Promise<JobFolder> {
    return this.#fresh ??= await this.#make();
  }

  /** One that nothing was built in, to build in. */
  async take(): Promise<JobFolder> {
    const folders = await this.fresh();
    this.#fresh = undefined;
    return folders;
  }

  /** Removes all that were made. */
  async close(): Promise<void> {
    if (this.#session.options.keep) return;
    for (const folders of this.#made.splice(0)) await folders.remove();
  }

  async #make(): Promise<JobFolder> {
    await this.close();
    const first = this.#count++ === 0;
    const folders = await createJobFolder(this.#source.jobsRoot, `${this.#count}`);
    this.#made.push(folders);
    const lines = await this.#write(folders);
    if (first) this.#session.screen.lines(lines.map(safeLine));
    return folders;
  }

  /** Resolves to a line for each submodule. */
  async #write(folders: JobFolder): Promise<string[]> {
    const { branch: { repository, env, url }, tree } = this.#source;
    const { folder, config, signal, screen } = this.#session;
    using watch = watchCheckout({ repository, env, tree, folder: folders.tree });
    screen.progress("checking out the merged tree", () => watch.howFar());
    const written = await writeTree(repository, tree, { folders, env });
    screen.progress("filling the submodules");
    const sameHost = !sectionOf(config, "builder").network;
    const root = join(folder, "submodules");
    return await writeSubmodules(repository, tree, {
      ...{ root, url, sameHost, folders, written, signal, env },
    });
  }
}
