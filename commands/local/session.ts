/** One run of the command. */
import type { Config } from "../../lib/config/config.ts";
import type { LocalOptions } from "./options.ts";
import type { Screen } from "./screen.ts";

/** What every part of a run has at hand. */
export interface Session {
  readonly options: LocalOptions;
  readonly config: Config | undefined;
  readonly screen: Screen;
  /** A folder of ours. */
  readonly folder: string;
  /** Aborts when the run is to end. */
  readonly signal: AbortSignal;
}
