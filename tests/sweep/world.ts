/** What the tests of the sweep need. */
import { Sweep } from "../../lib/sweep/sweep.ts";
import { evaluationUrl } from "../../lib/evaluation/status.ts";
import {
  type CheckRun,
  type CommitStatus,
  GitHubRefusal,
  type PullRequest,
} from "../../lib/github/github.ts";
import { parseJson } from "../../lib/messages/codec.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { ago, MINUTE, NOW, queuedFor } from "../check_runs/times.ts";
import { RecordingBroker } from "../support/recording_broker.ts";

/** An open pull request that changed so many minutes ago. */
export function pull(number: number, minutes: number): PullRequest {
  return {
    number,
    title: "x",
    state: "open",
    draft: false,
    author: "ada",
    headSha: String(number).padStart(40, "0"),
    baseRef: "main",
    defaultBranch: "main",
    labels: [],
    headPushedAt: undefined,
    updatedAt: ago(minutes),
    cloneUrl: "https://git.example.com/Acme/mono.git",
  };
}

/** The repository that is swept. */
export const repo = {
  owner: "Acme",
  name: "mono",
  full_name: "Acme/mono",
  clone_url: "https://x/y.git",
};
const pr = { target_branch: "main", number: 1, head_sha: "0".repeat(40) };

/** A status `tickborg/evaluation` that is so many minutes old. */
export function evaluation(
  state: CommitStatus["state"],
  minutes: number,
  outcome?: string,
  number = 1,
): CommitStatus {
  const targetUrl = evaluationUrl({ repo, pr: { ...pr, number }, logViewer: undefined }, {
    requestId: "r",
    requestedAt: ago(minutes),
    outcome,
  });
  const context = "tickborg/evaluation";
  return { context, state, description: "", targetUrl, createdAt: ago(minutes) };
}
/** What the sweep sees and does. */
export interface World {
  pulls: PullRequest[];
  statuses: Map<string, CommitStatus[]>;
  runs: Map<string, CheckRun[]>;
  /** The overall check of a commit. */
  overall(sha: string): CheckRun[];
  queue: { ready: number; consumers: number };
  clock: { now: number };
  requests: number;
  readonly published: { key: string; body: Record<string, unknown> }[];
  run(): Promise<void>;
}

function overallOf(headSha: string): CheckRun {
  const conclusion = "success" as const;
  return { ...queuedFor(1), id: 9, name: "tickborg", headSha, status: "completed", conclusion };
}

/** A sweep over a GitHub and a broker that are made up. */
export function world(maxHeads?: number, repos = ["Acme/mono"]): World {
  const signal = new AbortController().signal;
  const broker = new RecordingBroker();
  broker.facts = () => it.queue;
  const it: World = {
    pulls: [],
    statuses: new Map(),
    runs: new Map(),
    overall: (headSha) => [overallOf(headSha)],
    queue: { ready: 0, consumers: 1 },
    clock: { now: NOW },
    requests: 0,
    get published() {
      return broker.published.map(({ routingKey: key, body }) => ({
        key,
        body: parseJson(body) as Record<string, unknown>,
      }));
    },
    run: () => sweep.run(signal),
  };
  const sweep = new Sweep({
    github: {
      openPullRequests: ({ name }) => {
        it.requests++;
        if (name === "mono") return Promise.resolve(it.pulls);
        return Promise.reject(new GitHubRefusal("Not Found", 404));
      },
      statuses: (_repo, sha) => (it.requests++, Promise.resolve(it.statuses.get(sha) ?? [])),
      checkRuns: (_repo, sha) => {
        it.requests++;
        return Promise.resolve([...it.runs.get(sha) ?? [], ...it.overall(sha)]);
      },
    },
    broker,
    log: roleLogger("test"),
    now: () => it.clock.now,
    repos,
    apiUrl: "https://api.github.com",
    quietMs: 5 * MINUTE,
    pendingMs: 30 * MINUTE,
    stuckMs: 360 * MINUTE,
    ...(maxHeads === undefined ? {} : { maxHeads }),
  });
  return it;
}
