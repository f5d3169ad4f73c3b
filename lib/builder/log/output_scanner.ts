/** Searches a step's output for what its exit code does not tell. Pure. */
import { saysNoRule } from "../recipes/make_targets.ts";
import type { Step } from "../recipes/step.ts";

/** The reason for a test step that ran no test. */
export const NO_TEST = "ran no test: give the project tests or a test_command";

/** The reason if make has no target that could have tests. */
export const NO_TARGET = "ran no test: it has neither test nor check; set test_command";

/** Sees every line of one step. */
export class OutputScanner {
  readonly #step: Step;
  #none = false;
  #some = false;
  #failure = false;
  #program = false;
  #noRule = false;
  #silent = true;

  constructor(step: Step) {
    this.#step = step;
  }

  see(lines: readonly string[]): void {
    for (const line of lines) {
      if (line.trim() === "") continue;
      this.#silent = false;
      this.#seeTest(line);
      const { targets, argv } = this.#step;
      if (targets !== undefined && saysNoRule(line, argv.at(-1)!)) this.#noRule = true;
    }
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** Whether make said that it has no rule for the step's target. */
  get lacksRule(): boolean {
    return this.#noRule;
  }

  /** Whether a test step with this exit ran no test. */
  ranNoTest(succeeded: boolean): boolean {
    if (this.#some || this.#program) return false;
    return succeeded ? this.#none : this.#failure;
  }

  #seeTest(line: string): void {
    const empty = this.#step.emptyTest;
    if (empty === undefined || this.#some) return;
    const none = empty.none.test(line);
    if (empty.some.test(line) || (this.#program && !none)) this.#some = true;
    this.#program = empty.program?.test(line) ?? false;
    if (none) this.#none = true;
    if (empty.failure?.test(line)) this.#failure = true;
  }
}
