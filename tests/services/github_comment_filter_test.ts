import assert from "node:assert/strict";
import type { IssueCommentEvent } from "../../lib/github/payloads.ts";
import type { CommitStatus } from "../../lib/github/github.ts";
import { TransientFault } from "../../lib/errors.ts";
import { evaluationUrl } from "../../lib/evaluation/status.ts";
import type { BuildJob } from "../../lib/messages/build_job.ts";
import * as commentFilter from "../../services/github_comment_filter.ts";
import { approvalOf, commandsOf } from "../../services/github_comment_filter.ts";
import {
  builds,
  cancellations,
  type Desk,
  type DeskOptions,
  evaluations,
  jobs,
  notices,
  queued,
  type QueuedJob,
  startDesk,
} from "../support/desk.ts";
import { issueCommentPayload } from "../support/fake_github/payloads.ts";
import type { FakeComment, FakePull } from "../support/fake_github/state.ts";
import type { ProjectInput } from "../support/monorepo.ts";

const projects: ProjectInput[] = [
  { name: "cmark", path: "cmark", build_system: "Make" },
  { name: "Zip", path: "zip", build_system: "Make" },
  { name: "arm", path: "arm", build_system: "Make", systems: ["aarch64-linux"] },
];
const trusted = { runner: { trusted_users: ["Ada"] } };

function desk(options: Partial<DeskOptions> = {}): Promise<Desk> {
  const files = { "cmark/a.c": "a\n" };
  return startDesk(commentFilter, { files, projects, config: trusted, ...options });
}

/** A pull request whose head was pushed a minute ago and evaluated then. */
async function evaluated(at: Desk, author = "stranger"): Promise<FakePull> {
  const pull = await at.open({ "cmark/a.c": "b\n" }, { author });
  evaluate(at, pull, -60);
  return pull;
}

/** Puts the evaluation's status on the head, as of a push some seconds from now. */
function evaluate(at: Desk, pull: FakePull, seconds: number): void {
  const pushed = new Date(Date.parse(pull.createdAt) + seconds * 1_000).toISOString();
  const place = { repo: at.repo, pr: at.job(pull).pr, logViewer: undefined };
  const memory = { requestId: "d", requestedAt: pushed, outcome: "build" };
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

interface Said {
  readonly comment: FakeComment;
  /** The webhook's payload. */
  readonly payload: Record<string, unknown>;
}

async function say(at: Desk, pull: FakePull, body: string, author = "stranger"): Promise<Said> {
  const comment = await at.repository.comment(pull.number, body, { author });
  return {
    comment,
    payload: issueCommentPayload(at.repository, { pull, comment, action: "created" }),
  };
}

const BOTH = "@tickbot build cmark Zip";
const idOf = ({ job }: QueuedJob) => job.request_id;

/** Shows a job's check run as the poster does when it reads the job's notice. */
async function showQueued(at: Desk, pull: FakePull, job: BuildJob): Promise<void> {
  await at.gitHub().createCheckRun(at.repo, {
    name: `${job.attrs[0]} on x86_64-linux`,
    headSha: pull.headSha,
    status: "queued",
    externalId: `${job.requested_at}/${job.request_id}`,
    title: "Queued",
    summary: "Waiting",
  });
}

function answers(at: Desk, pull: FakePull): string[] {
  return at.repository.comments(pull.number).filter(({ byApp }) => byApp).map(({ body }) => body);
}

Deno.test("a command is acknowledged at once and its jobs go to each system's queue", async () => {
  await using at = await desk();
  const pull = await evaluated(at);
  const { comment, payload } = await say(at, pull, "@tickbot build cmark @tickbot test Zip", "ada");
  const handled = await at.deliver(payload);
  assert.deepEqual(builds(handled), [
    "cmark on x86_64-linux",
    "cmark on aarch64-linux",
    "Zip on x86_64-linux +test",
    "Zip on aarch64-linux +test",
  ]);
  assert.deepEqual(handled.settle, { kind: "ack" });
  assert.deepEqual(comment.reactions, ["eyes"]);
  assert.deepEqual(answers(at, pull), []);
  for (const { job } of jobs(handled)) {
    assert.equal(job.pr.head_sha, pull.headSha);
    assert.equal(job.requested_at, new Date(comment.createdAt).toISOString());
  }
});

Deno.test("a project that is built and tested is tested, once", async () => {
  await using at = await desk();
  const pull = await evaluated(at);
  const said = await say(at, pull, "@tickbot test cmark @tickbot build cmark cmark");
  assert.deepEqual(builds(await at.deliver(said.payload)), ["cmark on x86_64-linux +test"]);
});

Deno.test("a redelivered comment builds nothing twice", async () => {
  await using at = await desk();
  const pull = await evaluated(at);
  const { payload, comment } = await say(at, pull, "@tickbot build cmark");
  const [first] = jobs(await at.deliver(payload));
  await showQueued(at, pull, first!.job);
  const again = await at.deliver(payload);
  assert.deepEqual(builds(again), []);
  assert.deepEqual(comment.reactions, ["eyes"]);
});

Deno.test("a comment whose handling died before its jobs went out gives them the next time", async () => {
  await using at = await desk();
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build cmark nonsense");
  const first = await at.deliver(payload, { dieAfter: 1 });
  const second = await at.deliver(payload);
  assert.deepEqual(jobs(second), jobs(first), "the same jobs, to the last byte");
  assert.equal(answers(at, pull).length, 1, "one answer");
});

Deno.test("killed after any of its messages, a comment has each of its builds queued", async () => {
  await using at = await desk();
  const whole = await at.deliver((await say(at, await evaluated(at), BOTH)).payload);
  for (let sent = 0; sent <= whole.published.length; sent++) {
    const pull = await evaluated(at);
    const { payload } = await say(at, pull, BOTH);
    const first = await at.deliver(payload);
    const out = { published: first.published.slice(0, sent) };
    for (const { job } of notices(out)) await showQueued(at, pull, job);
    const ids = [...queued(out), ...queued(await at.deliver(payload))].map(idOf);
    assert.deepEqual(new Set(ids), new Set(queued(first).map(idOf)), `after ${sent} messages`);
  }
});

Deno.test("an unknown project is answered with what there is, and the known ones are built", async () => {
  await using at = await desk();
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build cmrak zip cmark");
  assert.deepEqual(builds(await at.deliver(payload)), ["cmark on x86_64-linux"]);
  const [answer] = answers(at, pull);
  assert.match(answer!, /There is no project `cmrak`, so it is not built\. Did you mean `cmark`\?/);
  assert.match(answer!, /There is no project `zip`, so it is not built\. Did you mean `Zip`\?/);
  assert.match(answer!, /Projects: `cmark`, `Zip`, `arm`\./);
});

Deno.test("help comes for the asking, for no project, and for a word that is no command", async () => {
  await using at = await desk();
  for (const body of ["@tickbot help", "@tickbot build", "@tickbot bulid cmark", "@tickbot"]) {
    const pull = await evaluated(at);
    const { payload } = await say(at, pull, body);
    assert.deepEqual((await at.deliver(payload)).published, []);
    const [answer] = answers(at, pull);
    assert.match(answer!, /@tickbot test <project>…/);
    assert.match(answer!, /Projects: `cmark`, `Zip`, `arm`\./);
  }
});

Deno.test("the list is the base branch's; without one the answer says so", async () => {
  await using at = await desk({ projects: undefined as never });
  const pull = await at.open({ ".tickborg.json": '{"projects": []}', "cmark/a.c": "c\n" });
  evaluate(at, pull, -60);
  const { payload } = await say(at, pull, "@tickbot build cmark");
  assert.deepEqual((await at.deliver(payload)).published, []);
  assert.match(answers(at, pull)[0]!, /`main` has no `\.tickborg\.json` that lists projects/);
  await at.monorepo.commit("main", { ".tickborg.json": "[" });
  const again = await say(at, pull, "@tickbot build cmark");
  await at.deliver(again.payload);
  assert.match(answers(at, pull)[1]!, /`\.tickborg\.json` on `main` cannot be read/);
});

Deno.test("where to build can be chosen, and what cannot be had is said", async () => {
  await using at = await desk();
  const pull = await evaluated(at);
  const ada = await say(at, pull, "@tickbot build cmark on aarch64-linux", "ada");
  assert.deepEqual(builds(await at.deliver(ada.payload)), ["cmark on aarch64-linux"]);
  const stranger = await say(at, pull, "@tickbot build cmark on x86_64-linux aarch64-linux");
  assert.deepEqual(builds(await at.deliver(stranger.payload)), ["cmark on x86_64-linux"]);
  const mac = await say(at, pull, "@tickbot build arm on x86_64-linux x86_64-darwin", "ada");
  assert.deepEqual(builds(await at.deliver(mac.payload)), []);
  const [first, second] = answers(at, pull);
  assert.match(first!, /`cmark` is only built for trusted people on `aarch64-linux`/);
  assert.match(second!, /`arm` is not meant to be built on `x86_64-linux`, `x86_64-darwin`/);
});

Deno.test("a stranger asks in vain for what only trusted people may build", async () => {
  await using at = await desk();
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build arm");
  assert.deepEqual(builds(await at.deliver(payload)), []);
  assert.match(answers(at, pull)[0]!, /`arm` is only built for trusted people/);
});

Deno.test("whoever may push is trusted", async () => {
  await using at = await desk();
  at.repository.permissions.set("grace", "write");
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build arm", "grace");
  assert.deepEqual(builds(await at.deliver(payload)), ["arm on aarch64-linux"]);
});

Deno.test("a commit that was pushed after the comment is not built", async () => {
  await using at = await desk();
  const pull = await at.open({ "cmark/a.c": "b\n" });
  const { payload } = await say(at, pull, "@tickbot build cmark", "ada");
  evaluate(at, pull, 60);
  assert.deepEqual((await at.deliver(payload)).published, []);
  assert.match(answers(at, pull)[0]!, /was pushed after your comment/);
});

Deno.test("a trusted word waits for the evaluation that shows what it was given for", async () => {
  await using at = await desk();
  const pull = await at.open({ "cmark/a.c": "b\n" }, { author: "stranger" });
  const { payload } = await say(at, pull, "@tickbot build arm", "ada");
  assert.ok((await at.deliver(payload)).error instanceof TransientFault);
  assert.deepEqual((await at.deliver(payload, { attempt: 4 })).published, []);
  assert.match(answers(at, pull)[0]!, /has not been evaluated/);

  const other = await at.open({ "cmark/a.c": "c\n" }, { author: "stranger" });
  const said = await say(at, other, "@tickbot build arm", "ada");
  assert.ok((await at.deliver(said.payload)).error instanceof TransientFault);
  evaluate(at, other, -60);
  assert.deepEqual(builds(await at.deliver(said.payload, { attempt: 2 })), [
    "arm on aarch64-linux",
  ]);
});

Deno.test("a commit that was seen in another pull request is not approved in this one", async () => {
  await using at = await desk();
  const bait = await at.open({ "cmark/a.c": "evil\n" }, { author: "stranger" });
  evaluate(at, bait, -60);
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build arm", "ada");
  await at.repository.pushHead(pull.number, bait.headSha);
  const handled = await at.deliver(payload);
  assert.deepEqual(builds(handled), []);
  assert.ok(handled.error instanceof TransientFault, "it waits for the evaluation of this one");
});

Deno.test("what a stranger may have anyway does not wait", async () => {
  await using at = await desk();
  const pull = await at.open({ "cmark/a.c": "b\n" });
  const { payload } = await say(at, pull, "@tickbot build cmark");
  assert.deepEqual(builds(await at.deliver(payload)), ["cmark on x86_64-linux"]);
});

Deno.test("eval asks for an evaluation of exactly this commit, under the asker's name", async () => {
  await using at = await desk();
  const pull = await evaluated(at);
  const { payload, comment } = await say(at, pull, "@tickbot eval", "ada");
  const [job] = evaluations(await at.deliver(payload));
  assert.equal(job!.pr.head_sha, pull.headSha);
  assert.equal(job!.requested_by, "ada");
  assert.equal(job!.request_id, `comment-${comment.id}`);
});

Deno.test("eval of what was never evaluated is no approval of a stranger's commit", async () => {
  await using at = await desk();
  const pull = await at.open({ "cmark/a.c": "b\n" }, { author: "stranger" });
  const { payload } = await say(at, pull, "@tickbot eval", "ada");
  const [job] = evaluations(await at.deliver(payload));
  assert.equal(job!.requested_by, undefined);
});

Deno.test("builds are cancelled by the author and by trusted people", async () => {
  await using at = await desk();
  const pull = await evaluated(at, "Bob");
  for (const author of ["bob", "ada"]) {
    const { payload } = await say(at, pull, "@tickbot cancel", author);
    const [cancellation] = cancellations(await at.deliver(payload));
    assert.equal(cancellation!.reason, `Cancelled by ${author}`);
    assert.ok(cancellation!.requested_at);
    assert.equal(cancellation!.number, pull.number);
  }
  const { payload } = await say(at, pull, "@tickbot cancel", "mallory");
  assert.deepEqual((await at.deliver(payload)).published, []);
  assert.match(answers(at, pull)[0]!, /Only the author of the pull request and trusted people/);
});

Deno.test("a conversation that is locked is no reason not to build", async () => {
  await using at = await desk();
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build cmark nonsense");
  at.github.fail({ status: 403, on: /POST .*\/(reactions|comments)$/, message: "Locked" });
  assert.deepEqual(builds(await at.deliver(payload)), ["cmark on x86_64-linux"]);
});

Deno.test("a pull request that was closed meanwhile gets nothing", async () => {
  await using at = await desk();
  const pull = await evaluated(at);
  const { payload, comment } = await say(at, pull, "@tickbot build cmark");
  await at.repository.closePullRequest(pull.number);
  assert.deepEqual((await at.deliver(payload)).published, []);
  assert.deepEqual(comment.reactions, []);
});

const event: IssueCommentEvent = {
  action: "created",
  repo: { owner: "Acme", name: "Web.js", full_name: "Acme/Web.js", clone_url: "https://x/y.git" },
  number: 7,
  isPullRequest: true,
  state: "open",
  commentId: 1,
  body: "@tickbot eval",
  author: "ann",
  authorType: "User",
  createdAt: "2024-05-01T10:00:00Z",
};

const comments: [what: string, changes: Partial<IssueCommentEvent>, commands: number][] = [
  ["a comment", {}, 1],
  ["prose", { body: "nice" }, 0],
  ["an edited comment", { action: "edited" }, 0],
  ["a deleted comment", { action: "deleted" }, 0],
  ["an action nobody knows", { action: "pinned" }, 0],
  ["a comment on an issue", { isPullRequest: false }, 0],
  ["a comment on a closed pull request", { state: "closed" }, 0],
  ["a bot's comment", { authorType: "Bot" }, 0],
  ["a bot's comment by its name", { author: "renovate[bot]" }, 0],
  ["a comment in a foreign repository", { repo: { ...event.repo, full_name: "evil/web.js" } }, 0],
];

Deno.test("which comments hold commands for us", () => {
  const config = {
    runner: { repos: ["acme/web.js"] },
    github: { handle: "@tickbot" },
  } as unknown as Parameters<typeof commandsOf>[1];
  for (const [what, changes, expected] of comments) {
    assert.equal(commandsOf({ ...event, ...changes }, config).length, expected, what);
  }
});

Deno.test("what was approved is told from GitHub's own times", () => {
  const status = (at: string, request = "d", number = 7): CommitStatus => ({
    context: "tickborg/evaluation",
    state: "success",
    description: "",
    targetUrl: `https://logs.example/?key=a/b.js.${number}&request=${request}&at=${at}`,
    createdAt: "2030-01-01T00:00:00Z",
  });
  const table: [statuses: CommitStatus[], expected: string][] = [
    [[], "unknown"],
    [[{ ...status("2024-05-01T09:59:59Z"), context: "other" }], "unknown"],
    [[status("2024-05-01T09:59:59Z")], "older"],
    [[status("2024-05-01T10:00:00.500Z")], "same-second"],
    [[status("2024-05-01T10:00:01Z")], "newer"],
    [[status("not a time")], "newer"],
    // Somebody had it evaluated again with a comment; when it was pushed counts.
    [[status("2024-05-01T11:00:00Z", "comment-1"), status("2024-05-01T09:00:00Z")], "older"],
    // It was forced away and brought back after the comment.
    [[status("2024-05-01T11:00:00Z", "e"), status("2024-05-01T09:00:00Z")], "newer"],
    [[status("2024-05-01T09:00:00Z", "comment-1")], "older"],
    // It was seen before the comment, but as the head of another pull request.
    [[status("2024-05-01T09:00:00Z", "d", 8)], "unknown"],
    [[status("2024-05-01T11:00:00Z"), status("2024-05-01T09:00:00Z", "d", 8)], "newer"],
  ];
  for (const [statuses, expected] of table) {
    assert.equal(approvalOf({ number: 7, createdAt: "2024-05-01T10:00:00Z" }, statuses), expected);
  }
});
