/** What the roles do while GitHub answers 502 to one kind of request: nothing, and the message comes again. */
import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import * as commentFilter from "../../services/github_comment_filter.ts";
import * as massRebuilder from "../../services/mass_rebuilder.ts";
import { type Handled, type RoleHarness, startRoleHarness } from "../support/role_harness.ts";
import { builds } from "../support/published.ts";
import { issueCommentPayload } from "../../testing/fake_github/payloads.ts";
import type { FakePull } from "../../testing/fake_github/state.ts";

const options = {
  files: { "cmark/a.c": "a\n" },
  projects: [{ name: "cmark", path: "cmark", build_system: "Make" as const }],
};

function assertComesAgain({ error, published }: Handled, request: RegExp): void {
  assert.ok(error instanceof TransientFault, `${request}: ${Deno.inspect(error)}`);
  assert.match(error.message, /GitHub answered 502/);
  assert.deepEqual(published, [], String(request));
}

for (const request of [/GET .*\/pulls\/1$/, /reactions$/, /statuses$/, /comments$/]) {
  Deno.test(`a comment comes again while GitHub answers 502 to ${request}`, async () => {
    await using at = await startRoleHarness(commentFilter, options);
    const payload = await say(at, await at.open({ "cmark/a.c": "b\n" }));
    at.github.fail({ status: 502, on: request });
    assertComesAgain(await at.deliver(payload), request);
    at.github.clearFaults();
    assert.deepEqual(builds(await at.deliver(payload, { tries: 2 })), ["cmark on x86_64-linux"]);
  });
}

for (const request of [/GET .*\/pulls\/1$/, /POST .*statuses/]) {
  Deno.test(`an evaluation comes again while GitHub answers 502 to ${request}`, async () => {
    await using at = await startRoleHarness(massRebuilder, options);
    const pull = await at.open({ "cmark/a.c": "b\n" });
    at.github.fail({ status: 502, on: request });
    assertComesAgain(await at.deliver(at.job(pull)), request);
    at.github.clearFaults();
    const again = await at.deliver(at.job(pull), { tries: 2 });
    assert.deepEqual(builds(again), ["cmark on x86_64-linux"]);
  });
}

/** A comment that has something built and, for a word that is none, is answered. */
async function say(at: RoleHarness, pull: FakePull): Promise<Record<string, unknown>> {
  const comment = await at.repository.comment(pull.number, "@tickbot build cmark nonsense");
  return issueCommentPayload(at.repository, { pull, comment, action: "created" });
}
