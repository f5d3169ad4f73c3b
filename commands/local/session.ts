/** One run of the command. */
import type { Config } from "../../lib/config/config.ts";
import type { LocalOptions } from "./options.ts";
import type { Screen } from "./screen.ts";

/** What every part of a run needs. */
export interface Session {
  readonly options: LocalOptions;
  readonly config: Config | undefined;
  readonly screen: Screen;
  /** A temporary folder. */
  readonly folder: string;
  /** Aborts when the run must end. */
  readonly signal: AbortSignal;
}
