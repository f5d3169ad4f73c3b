/** Options and state that the repository and its submodules share during a checkout. */
import type { TransientFault } from "../../common/errors.ts";
import type { Needs, Problem } from "./needs.ts";

/** How to write a checkout. */
export interface WriteOptions {
  /** The configuration's `checkout.root`: where caches are. */
  readonly root: string;
  /** The repository's address; undefined if there is none. */
  readonly url: string | undefined;
  /** Whether to fetch only from the host of `url`, because builds may not use the network. */
  readonly sameHost: boolean;
  /** What the projects that are built need; failing to fetch anything else stops nothing. */
  readonly needs: Needs;
  /** How often the job has been delivered, from 1; infinite if it is not delivered again. */
  readonly tries: number;
  /** Folders of Git LFS contents; the one in the cache when absent. */
  readonly stores?: readonly string[];
  readonly signal: AbortSignal;
}

/** What all levels of a checkout share. */
export interface CheckoutState {
  readonly lines: string[];
  readonly problems: Problem[];
  /** Bytes that may still be written. */
  readonly room: { bytes: number };
  /** Hosts that did not answer. */
  readonly down: Map<string, TransientFault>;
  submodules: number;
  /** The signal for fetching what no project needs. */
  unneeded(signal: AbortSignal): AbortSignal;
}
