import type { EndpointReport, QueueReport, UnservedReport } from "./fleet.ts";
import type { GitHubReport } from "./github.ts";
import type { Finding } from "./health.ts";

/** What `tickborg status --json` prints. */
export interface StatusReport {
  readonly level: Finding["level"];
  /** ISO 8601. */
  readonly time: string;
  /** The version of this program. Each endpoint tells its role's. */
  readonly version: string;
  /** Without a level where nobody asked it: the embedded one. */
  readonly broker: Partial<Finding> & { readonly address: string };
  readonly queues: readonly QueueReport[];
  readonly endpoints: readonly EndpointReport[];
  /** Absent where the configuration has no App. */
  readonly github?: GitHubReport;
  /** Repositories that send webhooks and are not served, as far as stats has counted. */
  readonly unserved?: readonly UnservedReport[];
  /** What nothing is said about, and why. */
  readonly notLookedAt?: readonly string[];
}
