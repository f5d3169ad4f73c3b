/**
 * GitHub's webhook payloads become small events of our own here, at the edge, and nowhere else. Unknown
 * fields and unknown actions are no error: GitHub adds both without notice. What an event needs and a
 * payload lacks throws an Error that names the field.
 */
import * as z from "zod";
import { decode } from "../messages/codec.ts";
import { CommitSha, Repo } from "../messages/repo.ts";

/** A text of at most so many UTF-16 units, empty if it is missing; no character is split. */
export const bounded = (length: number) =>
  z.string().nullish().transform((text) => (text ?? "").slice(0, length).toWellFormed());

/** The repository that an event happened in. */
export const Repository = z.object({
  full_name: z.string().regex(/^[^/]+\/[^/]+$/),
  clone_url: z.string(),
  default_branch: z.string().max(255).optional(),
  pushed_at: z.union([z.number(), z.string().max(50)]).nullish().catch(undefined),
}).transform(({ full_name, clone_url, default_branch, pushed_at }) => {
  const [owner, name] = full_name.split("/");
  return {
    repo: { owner, name, full_name, clone_url },
    defaultBranch: default_branch ?? "main",
    pushedAt: pushed_at ?? undefined,
  };
}).pipe(z.object({
  repo: Repo,
  defaultBranch: z.string(),
  pushedAt: z.union([z.number(), z.string(), z.undefined()]),
}));

/** Characters kept of a title; GitHub allows 256. */
const MAX_TITLE = 1_000;

const PullRequestPayload = z.object({
  action: z.string().max(100),
  number: z.number().int().min(1),
  repository: Repository,
  /** The head before a push to the pull request. */
  before: CommitSha.nullish().catch(undefined),
  changes: z.object({
    base: z.object({
      ref: z.object({ from: z.string().min(1).max(255) }).nullish().catch(undefined),
    }).nullish(),
    title: z.object({ from: bounded(MAX_TITLE) }).nullish().catch(undefined),
  }).nullish().catch(undefined),
  pull_request: z.object({
    title: bounded(MAX_TITLE),
    state: z.string().max(20),
    updated_at: z.string().max(50).nullish(),
    merged: z.boolean().nullish(),
    head: z.object({ sha: CommitSha }),
    base: z.object({ ref: z.string().min(1).max(255) }),
  }),
});

/** Something happened to a pull request. */
export interface PullRequestEvent {
  /** `opened`, `synchronize`, `edited`, … or one GitHub adds tomorrow. */
  readonly action: string;
  readonly repo: Repo;
  readonly number: number;
  readonly headSha: string;
  readonly baseRef: string;
  readonly title: string;
  readonly merged: boolean;
  /** `open` or `closed`. */
  readonly state: string;
  /** Whether this is an edit that changed the base branch. */
  readonly baseChanged: boolean;
  /** The base branch before that. */
  readonly previousBase?: string | undefined;
  /** The head before a push. */
  readonly previousHead?: string | undefined;
  /** The title before an edit that changed it. */
  readonly previousTitle?: string | undefined;
  /** When this happened by GitHub's clock, as GitHub wrote it; the same in a redelivery. */
  readonly updatedAt?: string | undefined;
}

/** Reads a `pull_request` payload. Throws an Error that names every wrong field. */
export function parsePullRequestEvent(body: Uint8Array): PullRequestEvent {
  const payload = decode(PullRequestPayload, body);
  const pull = payload.pull_request;
  return {
    action: payload.action,
    repo: payload.repository.repo,
    number: payload.number,
    headSha: pull.head.sha,
    baseRef: pull.base.ref,
    title: pull.title,
    merged: pull.merged ?? false,
    state: pull.state,
    baseChanged: payload.action === "edited" && Boolean(payload.changes?.base),
    ...(payload.changes?.base?.ref ? { previousBase: payload.changes.base.ref.from } : {}),
    ...(payload.before ? { previousHead: payload.before } : {}),
    previousTitle: payload.changes?.title?.from,
    updatedAt: pull.updated_at ?? undefined,
  };
}

const PushPayload = z.object({
  ref: z.string().min(1).max(1_000),
  before: CommitSha,
  after: CommitSha,
  deleted: z.boolean().nullish(),
  repository: Repository,
});

/** Commits were pushed to a branch or a tag, or it was deleted. */
export interface PushEvent {
  readonly repo: Repo;
  /** `refs/heads/<branch>` or `refs/tags/<tag>`. */
  readonly ref: string;
  /** All zeros where the ref was created. */
  readonly before: string;
  /** All zeros where the ref was deleted. */
  readonly after: string;
  readonly deleted: boolean;
  readonly defaultBranch: string;
  /** When this was pushed, by GitHub's clock: seconds since the epoch in webhooks, ISO 8601 elsewhere. */
  readonly pushedAt?: number | string | undefined;
}

/** Reads a `push` payload. Throws an Error that names every wrong field. */
export function parsePushEvent(body: Uint8Array): PushEvent {
  const payload = decode(PushPayload, body);
  return {
    repo: payload.repository.repo,
    ref: payload.ref,
    before: payload.before,
    after: payload.after,
    deleted: payload.deleted ?? false,
    defaultBranch: payload.repository.defaultBranch,
    pushedAt: payload.repository.pushedAt,
  };
}
