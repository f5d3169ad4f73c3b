/** Logs each repository that sends webhooks and is not served, once. */
import type { Logger } from "@logtape/logtape";

/** Repositories to log by name; people who install the App could create any number of them. */
const MAX_NAMES = 100;

export class UnservedRepositories {
  readonly #served: ReadonlySet<string>;
  readonly #log: Logger;
  readonly #told = new Set<string>();

  constructor(repos: readonly string[], log: Logger) {
    this.#served = new Set(repos.map((repo) => repo.toLowerCase()));
    this.#log = log;
  }

  /** Whether a repository is not served; logs it the first time. */
  has(repository: string): boolean {
    const name = repository.toLowerCase();
    if (this.#served.has(name)) return false;
    if (!this.#told.has(name)) this.#tell(repository, name);
    return true;
  }

  #tell(repository: string, name: string): void {
    if (this.#told.size > MAX_NAMES) return;
    this.#told.add(name);
    const last = this.#told.size > MAX_NAMES;
    this.#log.warn(
      last
        ? "Webhooks come from more repositories that are not served; further names are not logged"
        : "Webhooks come from a repository that is not served: it is not built. Add it to " +
          "runner.repos, with its current name if it was renamed, or remove the App from it",
      last ? {} : { repo: repository },
    );
  }
}
