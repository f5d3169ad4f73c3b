/** Callbacks for texts that this process has written to. */

/** Callbacks by the path of a log's text. */
export class LogSubscribers {
  readonly #subscribers = new Map<string, Set<() => void>>();

  /** Calls `changed` whenever a text has changed. Returns what ends it. */
  subscribe(text: string, changed: () => void): () => void {
    const subscribers = this.#subscribers.get(text) ?? new Set();
    this.#subscribers.set(text, subscribers.add(changed));
    return () => {
      subscribers.delete(changed);
      if (subscribers.size === 0 && this.#subscribers.get(text) === subscribers) {
        this.#subscribers.delete(text);
      }
    };
  }

  has(text: string): boolean {
    return this.#subscribers.has(text);
  }

  notify(text: string): void {
    this.#subscribers.get(text)?.forEach((changed) => changed());
  }
}
