/** Reads build logs over HTTP, as the page behind a check run's link does. */

/** Asks whichever collector answers; a log that was read is not asked for again. */
export class LogReader {
  readonly #ports: readonly number[];
  /** Lines of builds in every log that was read last. */
  lines = 0;

  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  /** The text of the attempt that a check run links to; undefined where no collector has it. */
  async read(detailsUrl: string | undefined): Promise<string | undefined> {
    if (detailsUrl === undefined) return undefined;
    const query = new URL(detailsUrl).searchParams;
    const path = `/logfile/${query.get("key")}/${query.get("attempt_id")}`;
    for (const port of this.#ports) {
      try {
        const response = await fetch(`http://127.0.0.1:${port}${path}`);
        const text = await response.text();
        if (!response.ok) continue;
        this.lines += text.split("\n").length - 1;
        return text;
      } catch {
        // That collector is down; the other has the same logs.
      }
    }
    return undefined;
  }
}
