/** What one part may hold. */
export interface PartLimits {
  readonly lines: number;
  /** Reached by the line that goes over it. */
  readonly characters: number;
}

/** Taken lines that may stand before the others until these are moved to the front. */
const MAX_TAKEN = 8_192;

/** Lines, first in, first out. What adding and taking costs does not depend on how many wait. */
export class LineQueue {
  #lines: string[] = [];
  #taken = 0;
  #characters = 0;

  /** Lines that wait. */
  get length(): number {
    return this.#lines.length - this.#taken;
  }

  /** Characters of the lines that wait, with an end for each. */
  get characters(): number {
    return this.#characters;
  }

  add(lines: readonly string[]): void {
    for (const line of lines) {
      this.#lines.push(line);
      this.#characters += line.length + 1;
    }
  }

  /** Takes the first lines: at least one where there is one. */
  take(limits: PartLimits): string[] {
    const from = this.#taken;
    const end = Math.min(from + limits.lines, this.#lines.length);
    let characters = 0;
    let to = from;
    while (to < end && (to === from || characters < limits.characters)) {
      characters += this.#lines[to++]!.length + 1;
    }
    const part = this.#lines.slice(from, to);
    this.#characters -= characters;
    this.#taken = to;
    if (this.length === 0 || this.#taken > Math.max(MAX_TAKEN, this.length)) {
      this.#lines = this.#lines.slice(this.#taken);
      this.#taken = 0;
    }
    return part;
  }
}
