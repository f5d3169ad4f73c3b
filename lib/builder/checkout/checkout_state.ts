/** What all levels of a checkout, the repository and its submodules, are written with. */
import type { TransientFault } from "../../common/errors.ts";
import type { Needs, Problem } from "./needs.ts";

/** How to write a checkout. */
export interface WriteOptions {
  /** The configuration's `checkout.root`: where caches are. */
  readonly root: string;
  /** The repository's address; undefined where there is none. */
  readonly url: string | undefined;
  /** Whether only the host of `url` may be fetched from: where builds may not use the network. */
  readonly sameHost: boolean;
  /** What the projects that are built need; what else cannot be had holds up nothing. */
  readonly needs: Needs;
  /** How often the job has been delivered, from 1; infinite where it will not come again. */
  readonly tries: number;
  /** Folders of Git LFS contents; the one in the cache when absent. */
  readonly stores?: readonly string[];
  readonly signal: AbortSignal;
}

/** What all levels of a checkout share. */
export interface CheckoutState {
  readonly lines: string[];
  readonly problems: Problem[];
  /** What may still be written. */
  readonly room: { bytes: number };
  /** Hosts that did not answer. */
  readonly down: Map<string, TransientFault>;
  /** How many submodules were written. */
  submodules: number;
  /** The signal under which what no project needs is fetched. */
  unneeded(signal: AbortSignal): AbortSignal;
}
