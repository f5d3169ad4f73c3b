/**
 * THE TABLE of all roles: what each is for, what it consumes and where it listens. Tests check that
 * the dispatcher, the help text, `deno.json`, the deployment files and the README agree with it.
 */
import type { Section } from "../lib/config/config.ts";
import type { Needs } from "./permissions.ts";
import type { RoleModule } from "../lib/runtime/role.ts";
import { EXCHANGE, QUEUE } from "../lib/broker/topology.ts";

/** One row of the table. */
export interface Role {
  /** What the role is for, in one line. */
  readonly summary: string;
  /** The role's own section of the configuration, which it requires. */
  readonly section: Section;
  /** Further sections that it requires. */
  readonly needs: readonly Section[];
  /** Queues it consumes; `build-inputs-<system>` means one queue per system. */
  readonly consumes: readonly string[];
  /** Exchanges it publishes to in addition to the default one and `stats`, which are open to every role. */
  readonly publishes: readonly string[];
  /** Exchanges it reads through a temporary queue. */
  readonly subscribes?: readonly string[];
  /** The port it serves HTTP on unless configured otherwise. */
  readonly port?: number;
  /** Whether it uses GitHub's API and needs the App's key. */
  readonly github: boolean;
  /** Programs it runs. */
  readonly programs: readonly string[];
  /** Permissions beyond `port`, `github` and `programs`: see `services/permissions.ts`. */
  readonly permissions: Needs;
  readonly load: () => Promise<RoleModule>;
}

/** A row; keys with usual values may be missing. */
type Row = Omit<Role, keyof typeof USUAL> & Partial<Role>;

const USUAL = {
  needs: [],
  consumes: [],
  publishes: [],
  github: false,
  programs: [],
  permissions: { read: [], write: [] },
} as const satisfies Partial<Role>;

/** The roles, in the order a message meets them. */
const ROLES = {
  "github-webhook-receiver": {
    summary: "Checks GitHub's webhooks and hands them to the broker",
    section: "github_webhook_receiver",
    publishes: [EXCHANGE.githubEvents],
    port: 8080,
    permissions: { read: ["github_webhook_receiver.webhook_secret_file"], write: [] },
    load: () => import("./github_webhook_receiver.ts"),
  },
  "evaluation-filter": {
    summary: "Picks the pull request events that ask for an evaluation",
    section: "evaluation_filter",
    consumes: [QUEUE.evaluationFilter],
    publishes: [EXCHANGE.cancellations],
    load: () => import("./evaluation_filter.ts"),
  },
  "push-filter": {
    summary: "Turns pushes to branches into build jobs",
    section: "push_filter",
    needs: ["checkout"],
    consumes: [QUEUE.pushFilter],
    publishes: [EXCHANGE.buildResults],
    programs: ["git"],
    permissions: { read: [], write: ["checkout.root"] },
    load: () => import("./push_filter.ts"),
  },
  "github-comment-filter": {
    summary: "Understands commands in comments and turns them into jobs",
    section: "github_comment_filter",
    needs: ["github_app"],
    consumes: [QUEUE.commentFilter, QUEUE.reviewComments],
    publishes: [EXCHANGE.buildResults, EXCHANGE.cancellations],
    github: true,
    permissions: { read: ["github_app.private_key"], write: [] },
    load: () => import("./github_comment_filter.ts"),
  },
  "mass-rebuilder": {
    summary: "Evaluates pull requests: what changed, what depends on it, labels, build jobs",
    section: "mass_rebuilder",
    needs: ["checkout", "github_app"],
    consumes: [QUEUE.evaluationJobs],
    publishes: [EXCHANGE.buildResults, EXCHANGE.cancellations],
    github: true,
    programs: ["git"],
    permissions: { read: ["github_app.private_key"], write: ["checkout.root"] },
    load: () => import("./mass_rebuilder.ts"),
  },
  "builder": {
    summary: "Builds and tests projects on this machine and streams their logs",
    section: "builder",
    needs: ["build", "checkout"],
    consumes: ["build-inputs-<system>"],
    publishes: [EXCHANGE.buildResults, EXCHANGE.logs],
    subscribes: [EXCHANGE.cancellations, EXCHANGE.buildJobs],
    programs: ["git", "sh", "bwrap"],
    permissions: { read: [], write: ["checkout.root"], lfs: true },
    load: () => import("./builder.ts"),
  },
  "github-comment-poster": {
    summary: "Keeps one check run per project, system and commit up to date",
    section: "github_comment_poster",
    needs: ["github_app"],
    consumes: [QUEUE.buildResults, QUEUE.checkRuns],
    github: true,
    permissions: { read: ["github_app.private_key"], write: [], logPages: true },
    load: () => import("./github_comment_poster.ts"),
  },
  "log-message-collector": {
    summary: "Stores build logs and serves them over HTTP",
    section: "log_message_collector",
    consumes: [QUEUE.logs],
    port: 8081,
    permissions: { read: ["log_api_config.logs_path"], write: ["log_message_collector.logs_path"] },
    load: () => import("./log_message_collector.ts"),
  },
  "stats": {
    summary: "Counts events and serves them to Prometheus",
    section: "stats",
    consumes: [QUEUE.stats],
    port: 9090,
    load: () => import("./stats.ts"),
  },
} as const satisfies Record<string, Row>;

/** A role's name: the same on the command line, in units, in logs and in documents. */
export type RoleName = keyof typeof ROLES;

/** All role names, in the table's order. */
export const ROLE_NAMES = Object.keys(ROLES) as RoleName[];

/** Whether a word is a role's name. */
export function isRoleName(word: string): word is RoleName {
  return Object.hasOwn(ROLES, word);
}

/** The row of a role. */
export function roleOf(name: RoleName): Role {
  return { ...USUAL, ...ROLES[name] };
}
