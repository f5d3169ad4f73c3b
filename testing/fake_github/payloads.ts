/** Webhook payloads as GitHub sends them: recorded payloads with replaced fields. */
import examples from "@octokit/webhooks-examples" with { type: "json" };
import type { FakeComment, FakePull } from "./state.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** A commit of a push, as in the payload. */
export interface PushedCommitInput {
  readonly id?: string;
  readonly message: string;
  readonly added?: readonly string[];
  readonly modified?: readonly string[];
  readonly removed?: readonly string[];
}

/** The facts about a repository that the payloads need. */
export interface PayloadRepository {
  readonly id: number;
  readonly fullName: string;
  readonly owner: string;
  readonly name: string;
  readonly cloneUrl: string;
  readonly defaultBranch: string;
}

const RECORDED = "Codertocat/Hello-World";
const ZERO = "0".repeat(40);

/** A recorded payload, moved to a repository. */
function recorded(event: string, repository: PayloadRepository): Json {
  const found = (examples as Json[]).find(({ name }) => name === event)?.examples as Json[];
  const like = found.find((it) => it.repository?.full_name === RECORDED && !it.organization);
  const payload = JSON.parse(JSON.stringify(like).replaceAll(RECORDED, repository.fullName));
  Object.assign(payload.repository, {
    id: repository.id,
    name: repository.name,
    full_name: repository.fullName,
    clone_url: repository.cloneUrl,
    default_branch: repository.defaultBranch,
    owner: user(payload.repository.owner, repository.owner, "Organization"),
  });
  return payload;
}

/** A recorded user under another name. */
function user(like: Json, login: string, type = "User"): Json {
  const renamed = JSON.stringify(like).replaceAll(like.login, encodeURIComponent(login));
  return { ...JSON.parse(renamed), login, type };
}

/** A `pull_request` payload. */
export function pullRequestPayload(
  repository: PayloadRepository,
  { pull, action, more }: { pull: FakePull; action: string; more: Record<string, unknown> },
): Json {
  const payload = recorded("pull_request", repository);
  const side = (like: Json, ref: string, sha: string) => ({
    ...like,
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    repo: payload.repository,
  });
  return {
    ...payload,
    ...more,
    action,
    number: pull.number,
    pull_request: {
      ...payload.pull_request,
      number: pull.number,
      url: `https://api.github.com/repos/${repository.fullName}/pulls/${pull.number}`,
      html_url: `https://github.com/${repository.fullName}/pull/${pull.number}`,
      title: pull.title,
      state: pull.state,
      draft: pull.draft,
      merged: pull.merged,
      merged_at: pull.merged ? pull.updatedAt : null,
      closed_at: pull.state === "closed" ? pull.updatedAt : null,
      user: user(payload.sender, pull.author),
      created_at: pull.createdAt,
      updated_at: pull.updatedAt,
      labels: pull.labels.map((name, id) => ({ id, name, color: "ededed", default: false })),
      head: side(payload.pull_request.head, pull.headRef, pull.headSha),
      base: side(payload.pull_request.base, pull.baseRef, pull.baseSha),
    },
    sender: user(payload.sender, pull.author),
  };
}

/** An `issue_comment` payload on a pull request. */
export function issueCommentPayload(
  repository: PayloadRepository,
  { pull, comment, action }: { pull: FakePull; comment: FakeComment; action: string },
): Json {
  const payload = recorded("issue_comment", repository);
  const address = `repos/${repository.fullName}/pulls/${pull.number}`;
  return {
    ...payload,
    action,
    ...(action === "edited" ? { changes: { body: { from: "before" } } } : {}),
    issue: {
      ...payload.issue,
      number: pull.number,
      title: pull.title,
      state: pull.state,
      draft: pull.draft,
      user: user(payload.sender, pull.author),
      pull_request: {
        url: `https://api.github.com/${address}`,
        html_url: `https://github.com/${repository.fullName}/pull/${pull.number}`,
      },
    },
    comment: {
      ...payload.comment,
      id: comment.id,
      body: comment.body,
      author_association: comment.authorAssociation,
      created_at: comment.createdAt,
      updated_at: comment.createdAt,
      user: user(payload.sender, comment.author, comment.authorType),
    },
    sender: user(payload.sender, comment.author, comment.authorType),
  };
}

/** The review or code comment in a payload. */
interface Written {
  readonly pull: FakePull;
  readonly comment: FakeComment;
  readonly action: string;
}

/** A `pull_request_review` payload. */
export function reviewPayload(repository: PayloadRepository, written: Written): Json {
  const payload = aboutPull("pull_request_review", repository, written);
  const { comment } = written;
  const review = { ...payload.review, ...authored(comment, payload.sender) };
  return { ...payload, review: { ...review, submitted_at: comment.createdAt } };
}

/** A `pull_request_review_comment` payload. */
export function reviewCommentPayload(repository: PayloadRepository, written: Written): Json {
  const payload = aboutPull("pull_request_review_comment", repository, written);
  const { createdAt, inReplyTo } = written.comment;
  return {
    ...payload,
    comment: {
      ...payload.comment,
      ...authored(written.comment, payload.sender),
      ...(inReplyTo === undefined ? {} : { in_reply_to_id: inReplyTo }),
      created_at: createdAt,
      updated_at: createdAt,
    },
  };
}

function aboutPull(event: string, repository: PayloadRepository, { pull, action }: Written): Json {
  const payload = recorded(event, repository);
  const { number, state, title, headSha } = pull;
  const head = { ...payload.pull_request.head, sha: headSha };
  return {
    ...payload,
    action,
    pull_request: { ...payload.pull_request, number, state, title, head },
  };
}

function authored(comment: FakeComment, like: Json): Json {
  return {
    id: comment.id,
    body: comment.body,
    author_association: comment.authorAssociation,
    user: user(like, comment.author, comment.authorType),
  };
}

/** A `push` payload. */
export function pushPayload(
  repository: PayloadRepository,
  input: {
    ref: string;
    after: string;
    before?: string;
    commits?: readonly PushedCommitInput[];
    pusher?: string;
    forced?: boolean;
    /** Seconds since the epoch. */
    pushedAt?: number;
  },
): Json {
  const payload = recorded("push", repository);
  const { after, before = ZERO, pusher = "contributor" } = input;
  const commits = (input.commits ?? []).map((commit, index, all) => ({
    id: commit.id ?? (index === all.length - 1 ? after : String(index).padStart(40, "0")),
    distinct: true,
    message: commit.message,
    added: commit.added ?? [],
    modified: commit.modified ?? [],
    removed: commit.removed ?? [],
  }));
  return {
    ...payload,
    repository: {
      ...payload.repository,
      ...(input.pushedAt === undefined ? {} : { pushed_at: input.pushedAt }),
    },
    ref: input.ref.startsWith("refs/") ? input.ref : `refs/heads/${input.ref}`,
    before,
    after,
    created: before === ZERO,
    deleted: after === ZERO,
    forced: input.forced ?? false,
    commits,
    head_commit: commits.at(-1) ?? null,
    pusher: { name: pusher, email: `${pusher}@users.noreply.github.com` },
    sender: user(payload.sender, pusher),
  };
}
