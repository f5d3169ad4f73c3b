/** Who wants to know when this process has written to a log. */

/** Callbacks by the path of a log's text. */
export class Watchers {
  readonly #watchers = new Map<string, Set<() => void>>();

  /** Calls back whenever a text has changed. Returns what ends it. */
  watch(text: string, changed: () => void): () => void {
    const watchers = this.#watchers.get(text) ?? new Set();
    this.#watchers.set(text, watchers.add(changed));
    return () => {
      watchers.delete(changed);
      if (watchers.size === 0 && this.#watchers.get(text) === watchers) {
        this.#watchers.delete(text);
      }
    };
  }

  /** Whether somebody watches a text. */
  has(text: string): boolean {
    return this.#watchers.has(text);
  }

  /** Tells those who watch a text that it has changed. */
  tell(text: string): void {
    this.#watchers.get(text)?.forEach((changed) => changed());
  }
}
