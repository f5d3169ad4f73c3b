import assert from "node:assert/strict";
import examples from "@octokit/webhooks-examples" with { type: "json" };
import { parseIssueCommentEvent, parseReviewEvent } from "../../lib/github/comment_payloads.ts";
import { parsePullRequestEvent, parsePushEvent } from "../../lib/github/payloads.ts";
import { encode } from "../../lib/messages/codec.ts";

/** Just enough of a recorded payload for a test to read and change. */
// deno-lint-ignore no-explicit-any
type Payload = any;

function recorded(event: string): Payload[] {
  const found = (examples as Payload[]).find(({ name }) => name === event);
  assert.ok(found, `no recorded payloads of ${event}`);
  return structuredClone(found.examples);
}

function wire(name: string): Uint8Array {
  return Deno.readFileSync(new URL(`../data/wire/${name}`, import.meta.url));
}

Deno.test("every recorded pull_request payload becomes an event", () => {
  const payloads = recorded("pull_request");
  assert.ok(payloads.length >= 20);
  for (const payload of payloads) {
    const event = parsePullRequestEvent(encode(payload));
    assert.equal(event.action, payload.action);
    assert.equal(event.number, payload.pull_request.number);
    assert.equal(event.headSha, payload.pull_request.head.sha);
    assert.equal(event.baseRef, payload.pull_request.base.ref);
    assert.equal(event.repo.full_name, payload.repository.full_name);
  }
});

Deno.test("every recorded issue_comment payload becomes an event", () => {
  for (const payload of recorded("issue_comment")) {
    const event = parseIssueCommentEvent(encode(payload));
    assert.equal(event.action, payload.action);
    assert.equal(event.commentId, payload.comment.id);
    assert.equal(event.body, payload.comment.body);
    assert.equal(event.isPullRequest, payload.issue.pull_request !== undefined);
    assert.equal(event.authorType, "User");
  }
});

Deno.test("every recorded review and review comment becomes an event like a comment's", () => {
  for (const payload of recorded("pull_request_review")) {
    const event = parseReviewEvent(encode(payload));
    assert.equal(event.kind, "review");
    assert.equal(event.action, payload.action);
    assert.equal(event.number, payload.pull_request.number);
    assert.equal(event.commentId, payload.review.id);
    assert.equal(event.body, payload.review.body ?? "");
    assert.equal(event.createdAt, payload.review.submitted_at);
    assert.equal(event.threadId, undefined);
  }
  for (const payload of recorded("pull_request_review_comment")) {
    const event = parseReviewEvent(encode(payload));
    assert.equal(event.kind, "review-comment");
    assert.equal(event.action, payload.action);
    assert.equal(event.commentId, payload.comment.id);
    assert.equal(event.threadId, payload.comment.in_reply_to_id ?? payload.comment.id);
    assert.equal(event.body, payload.comment.body);
    assert.equal(event.createdAt, payload.comment.created_at);
  }
});

Deno.test("a reply to a review comment names the comment that its thread begins with", () => {
  const [payload] = recorded("pull_request_review_comment");
  payload.comment.in_reply_to_id = 7;
  assert.equal(parseReviewEvent(encode(payload)).threadId, 7);
});

Deno.test("what is neither a review nor a comment on code, or both, is refused", () => {
  const [comment] = recorded("pull_request_review_comment");
  const [{ review }] = recorded("pull_request_review");
  for (const payload of [{ ...comment, comment: undefined }, { ...comment, review }]) {
    assert.throws(() => parseReviewEvent(encode(payload)), /expected a review or a comment/);
  }
});

Deno.test("every recorded push payload becomes an event", () => {
  for (const payload of recorded("push")) {
    const event = parsePushEvent(encode(payload));
    assert.equal(event.ref, payload.ref);
    assert.equal(event.deleted, payload.deleted);
    assert.equal(event.defaultBranch, payload.repository.default_branch);
  }
});

Deno.test("a pull request that became a draft is read from the recorded wire sample", () => {
  const event = parsePullRequestEvent(wire("github_pull_request_converted_to_draft.json"));
  assert.deepEqual(
    { ...event, repo: event.repo.full_name },
    {
      action: "converted_to_draft",
      repo: "NixOS/nixpkgs",
      number: 86486,
      headSha: "897d574ae2447e120d5889342e2417f29d5ae81c",
      baseRef: "master",
      title: "nixosTests: re-enable networking tests",
      merged: false,
      state: "open",
      baseChanged: false,
      previousTitle: undefined,
      updatedAt: "2020-05-22T19:22:35Z",
    },
  );
});

Deno.test("an edit that changed the base branch says so, an edited title does not", () => {
  const edited = parsePullRequestEvent(wire("github_pull_request_edited_base.json"));
  assert.equal(edited.action, "edited");
  assert.equal(edited.baseChanged, true);
  const [payload] = recorded("pull_request");
  const title = { ...payload, action: "edited", changes: { title: { from: "old" } } };
  assert.equal(parsePullRequestEvent(encode(title)).baseChanged, false);
  assert.equal(parsePullRequestEvent(encode(title)).previousTitle, "old");
  const opened = { ...payload, action: "opened", changes: { base: { ref: { from: "a" } } } };
  assert.equal(parsePullRequestEvent(encode(opened)).baseChanged, false);
});

Deno.test("an action and fields nobody knows yet are no error", () => {
  const [payload] = recorded("pull_request");
  const event = parsePullRequestEvent(encode({ ...payload, action: "teleported", new_field: [] }));
  assert.equal(event.action, "teleported");
});

Deno.test("a wrong value in a field that nobody reads makes no webhook a dead letter", () => {
  const wrong = { login: 7, name: 7 };
  const [pull] = recorded("pull_request");
  Object.assign(pull, { sender: wrong });
  Object.assign(pull.pull_request, { draft: "no", user: wrong });
  assert.equal(parsePullRequestEvent(encode(pull)).number, pull.number);
  const [comment] = recorded("issue_comment");
  Object.assign(comment.comment, { author_association: wrong });
  assert.equal(parseIssueCommentEvent(encode(comment)).commentId, comment.comment.id);
  const [push] = recorded("push");
  Object.assign(push, { created: 1, forced: 1, pusher: wrong, commits: wrong });
  assert.equal(parsePushEvent(encode(push)).ref, push.ref);
});

Deno.test("a deleted account is shown as ghost", () => {
  const [payload] = recorded("issue_comment");
  payload.comment.user = null;
  assert.equal(parseIssueCommentEvent(encode(payload)).author, "ghost");
});

Deno.test("a comment longer than GitHub allows is cut and stays well formed", () => {
  const [payload] = recorded("issue_comment");
  payload.comment.body = "a".repeat(65_535) + "\u{1F600}tail";
  const { body } = parseIssueCommentEvent(encode(payload));
  assert.equal(body.length, 65_536);
  assert.ok(body.isWellFormed());
});

Deno.test("what is not a payload is refused with the fields' names and without its content", () => {
  const [payload] = recorded("pull_request");
  const cases: [name: string, value: Payload, expected: RegExp][] = [
    ["no pull request", { ...payload, pull_request: undefined }, /pull_request/],
    ["a bad head", {
      ...payload,
      pull_request: { ...payload.pull_request, head: { sha: "--upload-pack=x" } },
    }, /pull_request\.head\.sha/],
    ["a hostile repository", {
      ...payload,
      repository: { ...payload.repository, full_name: "../.." },
    }, /repository/],
    ["a number as text", { ...payload, number: "1" }, /number/],
    ["an array", [], /message/],
  ];
  for (const [name, value, expected] of cases) {
    assert.throws(() => parsePullRequestEvent(encode(value)), expected, name);
  }
  assert.throws(() => parsePullRequestEvent(new Uint8Array([0xff])), /not UTF-8/);
});
