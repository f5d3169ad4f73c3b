/** A harness of the comment filter, where people comment on pull requests. */
import { evaluationUrl } from "../../lib/evaluation/status.ts";
import type { BuildJob } from "../../lib/messages/build_job.ts";
import * as commentFilter from "../../services/github_comment_filter.ts";
import { type RoleHarness, type RoleHarnessOptions, startRoleHarness } from "./role_harness.ts";
import { issueCommentPayload } from "../../testing/fake_github/payloads.ts";
import type { FakeComment, FakePull } from "../../testing/fake_github/state.ts";
import type { ProjectInput } from "../../testing/monorepo.ts";

const projects: ProjectInput[] = [
  { name: "cmark", path: "cmark", build_system: "Make" },
  { name: "Zip", path: "zip", build_system: "Make" },
  { name: "arm", path: "arm", build_system: "Make", systems: ["aarch64-linux"] },
];
const trusted = { runner: { trusted_users: ["Ada"] } };

/** A harness of the comment filter: Ada is trusted, `arm` is built on aarch64 alone. */
export function harness(options: Partial<RoleHarnessOptions> = {}): Promise<RoleHarness> {
  const files = { "cmark/a.c": "a\n" };
  return startRoleHarness(commentFilter, { files, projects, config: trusted, ...options });
}

/** A pull request whose head was pushed a minute ago and evaluated then. */
export async function evaluated(at: RoleHarness, author = "stranger"): Promise<FakePull> {
  const pull = await at.open({ "cmark/a.c": "b\n" }, { author });
  evaluate(at, pull, -60);
  return pull;
}

/** The request id of the evaluation that {@link evaluate} shows. */
export const EVALUATION = "d";

/** Puts the evaluation's status on the head, as of a push some seconds from now. */
export function evaluate(at: RoleHarness, pull: FakePull, seconds: number): void {
  const pushed = new Date(Date.parse(pull.createdAt) + seconds * 1_000).toISOString();
  pull.headPushedAt = pushed;
  const place = { repo: at.repo, pr: at.job(pull).pr, logViewer: undefined };
  const memory = { requestId: EVALUATION, requestedAt: pushed, outcome: "build" };
  at.repository.allStatuses.push({
    id: at.repository.allStatuses.length + 1,
    sha: pull.headSha,
    context: "tickborg/evaluation",
    state: "success",
    description: "",
    targetUrl: evaluationUrl(place, memory),
    createdAt: pushed,
  });
}

/** A comment that was made. */
export interface Said {
  readonly comment: FakeComment;
  /** The webhook's payload. */
  readonly payload: Record<string, unknown>;
}

/** Comments on a pull request. */
export async function say(
  at: RoleHarness,
  pull: FakePull,
  body: string,
  author = "stranger",
): Promise<Said> {
  const comment = await at.repository.comment(pull.number, body, { author });
  return {
    comment,
    payload: issueCommentPayload(at.repository, { pull, comment, action: "created" }),
  };
}

/** A check run as the poster shows it. */
interface Shown {
  readonly project: string;
  readonly requestId: string;
  readonly status?: "queued" | "in_progress";
  /** Seconds since its start, as the role sees the time; GitHub's own time when absent. */
  readonly startedAgo?: number;
}

/** Shows the check run of a build on x86_64-linux; queued when nothing else is said. */
export async function showRun(at: RoleHarness, pull: FakePull, shown: Shown): Promise<void> {
  const { project, requestId, status = "queued", startedAgo } = shown;
  const startedAt = startedAgo === undefined
    ? {}
    : { startedAt: new Date(at.now - startedAgo * 1_000).toISOString() };
  await at.gitHub().createCheckRun(at.repo, {
    name: `${project} on x86_64-linux`,
    headSha: pull.headSha,
    status,
    ...startedAt,
    externalId: `${pull.createdAt}/${requestId}`,
    title: status,
    summary: status,
    detailsUrl: `https://logs.example/?key=${project}`,
  });
}

/** Shows a job's check run as the poster does when it reads the job's notice. */
export async function showQueued(at: RoleHarness, pull: FakePull, job: BuildJob): Promise<void> {
  await showRun(at, pull, { project: job.attrs[0]!, requestId: job.request_id });
}

/** What the bot answered in a pull request. */
export function answers(at: RoleHarness, pull: FakePull): string[] {
  return at.repository.comments(pull.number).filter(({ byApp }) => byApp).map(({ body }) => body);
}
