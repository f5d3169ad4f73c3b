/** Webhooks of repositories that this bot does not serve: told once each by name. */
import type { Logger } from "@logtape/logtape";

/** Repositories that are told by name; whoever may install the App could make up any number of them. */
const MAX_NAMES = 100;

/** Knows which repositories are served, and which of the others have been told. */
export class UnservedRepositories {
  readonly #served: ReadonlySet<string>;
  readonly #log: Logger;
  readonly #told = new Set<string>();

  constructor(repos: readonly string[], log: Logger) {
    this.#served = new Set(repos.map((repo) => repo.toLowerCase()));
    this.#log = log;
  }

  /** Whether a repository that has sent a webhook is not served; the first time, the log says so. */
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
        ? "Webhooks come from more repositories that are not served; these are not named any more"
        : "Webhooks come from a repository that is not served: nothing of it is built. Add it to " +
          "runner.repos, under its present name if it was renamed, or remove the App from it",
      last ? {} : { repo: repository },
    );
  }
}
