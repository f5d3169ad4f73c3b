/**
 * Turns pushes to branches into build jobs. A push's change is the difference between the branch
 * before and after, over any number of commits. Pushes are trusted: only people with write access
 * can push.
 *
 * The role does not use GitHub's API. If a push cannot be compared, it builds too much rather than
 * nothing.
 */
import { servesRepo, systemsFor } from "../lib/access/acl.ts";
import { ack, type Publication } from "../lib/broker/broker.ts";
import type { Config, Project } from "../lib/config/config.ts";
import { describeError } from "../lib/common/errors.ts";
import { gatherPushFacts, type PushFacts } from "../lib/evaluation/push_facts.ts";
import {
  type PushEnd,
  pushEndMessages,
  unlistedPush,
  unreadablePush,
} from "../lib/evaluation/push_messages.ts";
import { MissingFromGit } from "../lib/git/faults.ts";
import { maintenanceTask } from "../lib/git/maintenance.ts";
import { isBranchName } from "../lib/git/names.ts";
import { parsePushEvent, type PushEvent } from "../lib/github/payloads.ts";
import {
  type Build,
  buildMessages,
  type BuildRequest,
  deliveryId,
  derivedRequestId,
  isoTime,
} from "../lib/scheduling/build_jobs.ts";
import type { PushTrigger } from "../lib/messages/repo.ts";
import { touchedProjects } from "../lib/projects/projects.ts";
import type { Consumer, HandlerResult, RoleContext, Service } from "../lib/runtime/role.ts";
import { statsMessage } from "../lib/monitoring/stats_events.ts";
import { QUEUE } from "../lib/broker/topology.ts";

/** The pushed branch; undefined if there is nothing to build. */
export function branchOf(event: PushEvent, config: Pick<Config, "runner">): string | undefined {
  if (!servesRepo(config, event.repo.full_name)) return undefined;
  if (event.deleted || isZero(event.after)) return undefined;
  const branch = /^refs\/heads\/(.+)$/s.exec(event.ref)?.[1];
  return branch !== undefined && isBranchName(branch) ? branch : undefined;
}

function isZero(sha: string): boolean {
  return /^0+$/.test(sha);
}

/** The facts about a push. */
export interface Facts {
  readonly push: PushFacts;
  readonly config: Pick<Config, "github" | "push_filter">;
}

/** The projects to build, in the list's order; undefined without a list. */
function projectsOf({ push, config }: Facts): readonly Project[] | undefined {
  if (push.list.kind !== "list") return undefined;
  const { projects } = push.list;
  if (push.files !== undefined) {
    const change = { files: push.files, subjects: push.subjects };
    return touchedProjects(change, projects).projects.map(({ project }) => project);
  }
  const chosen = config.push_filter?.default_attrs;
  return chosen ? projects.filter(({ name }) => chosen.includes(name)) : projects;
}

/**
 * The builds of a push. If the list is invalid, it requests the projects of `default_attrs`, and
 * the builder reports the mistakes as failures. Names in `default_attrs` that are not in the list
 * fail the same way.
 */
export function decide(facts: Facts): Build[] {
  const { push, config } = facts;
  const builds = (projectsOf(facts) ?? []).flatMap((project) =>
    systemsFor(config, { project, trusted: true }).map((system) => ({
      project: project.name,
      system,
      ...(project.test ? { test: true } : {}),
    }))
  );
  const chosen = push.files === undefined || push.list.kind !== "list"
    ? config.push_filter?.default_attrs ?? []
    : [];
  const listed = push.list.kind === "list" ? push.list.projects.map(({ name }) => name) : [];
  const unknown = chosen.filter((name) => !listed.includes(name));
  const [first] = config.github.systems;
  return [...builds, ...unknown.map((project) => ({ project, system: first! }))];
}

/** The role: reads `push` events, publishes build jobs and queued notices. */
export function createService(context: RoleContext): Promise<Service> {
  const consumer: Consumer<PushEvent> = {
    queue: QUEUE.pushFilter,
    prefetch: 4,
    decode: (delivery) => parsePushEvent(delivery.body),
    handle: (event, { headers, tries }, stop) =>
      handle(event, { context, stop, tries, deliveryId: deliveryId(headers) }),
    exhausted: (event, error) => giveUpMessages(event, error, context),
  };
  const periodic = [maintenanceTask(context.config.checkout!.root)];
  return Promise.resolve({ consumers: [consumer], periodic });
}

interface HandleOptions {
  readonly context: RoleContext;
  readonly stop: AbortSignal;
  readonly tries: number;
  readonly deliveryId: string | undefined;
}

async function handle(event: PushEvent, options: HandleOptions): Promise<HandlerResult> {
  const { config, log } = options.context;
  const branch = branchOf(event, config);
  if (branch === undefined) return { publish: [], settle: ack };
  const request = requestOf({ event, branch }, options);
  const fields = { repo: event.repo.full_name, branch, headSha: event.after };
  const push = await gatherPushFacts({ event, branch }, { config, ...options });
  if (push instanceof MissingFromGit) {
    log.warn("Pushed commit is unavailable", { ...fields, missing: push.message });
    const end = unreadablePush(`git cannot find ${push.what} ${push.which}`);
    return { publish: told(request, end, config), settle: ack };
  }
  const builds = decide({ push, config });
  const publish = buildMessages(request, builds);
  if (push.list.kind === "list") {
    log.info("Push evaluated", { ...fields, builds: builds.length });
    return { publish, settle: ack };
  }
  log.error("Push has no project list", { ...fields, list: push.list });
  const end = unlistedPush(push.list, { isDefault: branch === event.defaultBranch });
  // For projects requested by name, the builder reports the same.
  if (builds.length === 0) publish.push(...told(request, end, config));
  if (push.list.kind === "invalid") {
    const { identity } = config.runner;
    publish.push(statsMessage(identity, [{ "target-branch-fails-evaluation": branch }]));
  }
  return { publish, settle: ack };
}

function giveUpMessages(event: PushEvent, error: unknown, context: RoleContext): Publication[] {
  const branch = branchOf(event, context.config);
  if (branch === undefined) return [];
  const request = requestOf({ event, branch }, { context, deliveryId: undefined });
  return told(request, unreadablePush(`gave up: ${describeError(error)}`), context.config);
}

function told(request: BuildRequest, end: PushEnd, { github }: Config): Publication[] {
  return pushEndMessages(request, github.systems[0]!, end);
}

function requestOf(
  { event, branch }: { event: PushEvent; branch: string },
  { context, deliveryId }: Pick<HandleOptions, "context" | "deliveryId">,
): BuildRequest {
  const { repo, ref, before, after } = event;
  return {
    repo,
    pr: { target_branch: branch, number: 0, head_sha: after },
    push: triggerOf(event, branch),
    requestId: deliveryId ?? derivedRequestId("push", [repo.full_name, ref, before, after]),
    requestedAt: pushedAt(event) ?? new Date(context.now()).toISOString(),
  };
}

function triggerOf({ before, after }: PushEvent, branch: string): PushTrigger {
  return { head_sha: after, branch, ...(isZero(before) ? {} : { before_sha: before }) };
}

/** GitHub's time of a push, which stays the same in a redelivery. */
function pushedAt({ pushedAt }: PushEvent): string | undefined {
  if (typeof pushedAt !== "number") return isoTime(pushedAt);
  const time = new Date(pushedAt * 1_000);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
