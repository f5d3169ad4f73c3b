import type { EndpointReport, QueueReport } from "./fleet.ts";
import type { GitHubReport } from "./github.ts";
import type { Finding } from "./health.ts";
import type { UnservedReport } from "./unserved.ts";

/** What `tickborg status --json` prints. */
export interface StatusReport {
  readonly level: Finding["level"];
  /** ISO 8601. */
  readonly time: string;
  /** The version of this program. Endpoints have their roles' versions. */
  readonly version: string;
  /** Without a level if not checked: the embedded one. */
  readonly broker: Partial<Finding> & { readonly address: string };
  readonly queues: readonly QueueReport[];
  readonly endpoints: readonly EndpointReport[];
  /** Absent if the configuration has no App. */
  readonly github?: GitHubReport;
  /** Repositories that send webhooks and are not served, as counted by stats. */
  readonly unserved?: readonly UnservedReport[];
  /** What was not checked, and why. */
  readonly notLookedAt?: readonly string[];
}
