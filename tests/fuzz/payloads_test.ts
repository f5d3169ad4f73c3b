/** GitHub's payloads, mangled: an event of ours comes out, bounded, or a refusal; never a crash or a hang. */
import assert from "node:assert/strict";
import examples from "@octokit/webhooks-examples" with { type: "json" };
import { parseIssueCommentEvent, parseReviewEvent } from "../../lib/github/comment_payloads.ts";
import { parsePullRequestEvent, parsePushEvent } from "../../lib/github/payloads.ts";
import { encode } from "../../lib/messages/codec.ts";
import { type Json, mutated, mutatedBytes } from "./arbitraries.ts";
import { assertRefusal, property } from "./property.ts";

const recorded = examples as unknown as { name: string; examples: Json[] }[];
const samplesOf = (name: string) => recorded.find((entry) => entry.name === name)!.examples;
const REFUSED = /^Cannot (read|decode) message: /;

/** What every event says of a repository becomes folders and addresses. */
function assertRepo(repo: { owner: string; name: string; full_name: string }): void {
  assert.equal(repo.full_name, `${repo.owner}/${repo.name}`);
  for (const part of [repo.owner, repo.name]) {
    assert.match(part, /^(?!\.\.?$)[A-Za-z0-9._-]{1,100}$/);
  }
}

function parseReview(body: Uint8Array): void {
  const event = parseReviewEvent(body);
  assertRepo(event.repo);
  assert.ok(event.body.length <= 65_536 && event.body.isWellFormed());
  assert.ok(event.commentId >= 1 && event.number >= 1);
  assert.equal(event.threadId !== undefined, event.kind === "review-comment");
}

const PARSERS = {
  pull_request: (body: Uint8Array) => {
    const event = parsePullRequestEvent(body);
    assertRepo(event.repo);
    assert.match(event.headSha, /^([0-9a-f]{40}|[0-9a-f]{64})$/);
    assert.ok(event.title.length <= 1_000 && event.title.isWellFormed());
  },
  issue_comment: (body: Uint8Array) => {
    const event = parseIssueCommentEvent(body);
    assertRepo(event.repo);
    assert.ok(event.body.length <= 65_536 && event.body.isWellFormed());
  },
  pull_request_review: parseReview,
  pull_request_review_comment: parseReview,
  push: (body: Uint8Array) => {
    const event = parsePushEvent(body);
    assertRepo(event.repo);
    assert.ok(event.ref.length <= 1_000);
  },
};

for (const [name, parse] of Object.entries(PARSERS)) {
  const check = (body: Uint8Array) => {
    try {
      parse(body);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assertRefusal(error, REFUSED);
    }
  };
  const samples = samplesOf(name);
  property(`a ${name} payload with parts swapped is read or refused`, mutated(samples), (value) => {
    check(encode(value));
  });
  property(`a ${name} payload with bytes changed is read or refused`, mutatedBytes(samples), check);
}

Deno.test("a parser handed the payload of any other event refuses it or reads it, without a crash", () => {
  for (const entry of recorded) {
    for (const payload of entry.examples) {
      for (const parse of Object.values(PARSERS)) {
        try {
          parse(encode(payload));
        } catch (error) {
          assertRefusal(error, REFUSED);
        }
      }
    }
  }
});

Deno.test("an action nobody knows is an event, not an error", () => {
  for (const [name, parse] of Object.entries(PARSERS)) {
    const [payload] = samplesOf(name) as [Record<string, Json>];
    const body = encode({ ...payload, action: "minimized-by-a-future-github" });
    assert.doesNotThrow(() => parse(body), name);
  }
});
