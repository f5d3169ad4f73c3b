import assert from "node:assert/strict";
import { parsePullRequestEvent, type PullRequestEvent } from "../../lib/github/payloads.ts";
import { decode } from "../../lib/messages/codec.ts";
import { Cancellation } from "../../lib/messages/cancellation.ts";
import { EvaluationJob } from "../../lib/messages/evaluation_job.ts";
import { EvaluationNotice } from "../../lib/messages/evaluation_notice.ts";
import type { HandlerResult } from "../../lib/runtime/role.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { decide } from "../../services/evaluation_filter.ts";

const config = parseConfig({
  runner: { identity: "test", repos: ["NixOS/NixPkgs", "acme/widgets"] },
});
const facts = { config, deliveryId: "d-1", now: 0 };
const event: PullRequestEvent = {
  action: "opened",
  repo: {
    owner: "Acme",
    name: "Widgets",
    full_name: "Acme/Widgets",
    clone_url: "https://github.com/Acme/Widgets.git",
  },
  number: 7,
  headSha: "a".repeat(40),
  baseRef: "main",
  title: "feat(ui): new button",
  merged: false,
  state: "open",
  baseChanged: false,
  updatedAt: "2024-05-01T10:00:00Z",
};

/** What the poster is told of an event: `queued`, or the outcome of what the pull request left. */
function noticesOf({ publish }: HandlerResult): string[] {
  return publish.filter(({ routingKey }) => routingKey === QUEUE.checkRuns)
    .map(({ body }) => decode(EvaluationNotice, body))
    .map(({ evaluation, outcome, pr }) =>
      `${outcome ?? evaluation} ${pr.head_sha.slice(0, 1)} into ${pr.target_branch}`
    );
}

/** Which message an event leads to besides notices: `evaluation`, `cancellation` or `nothing`. */
function ledTo(changes: Partial<PullRequestEvent>): string {
  const { publish, settle } = decide({ ...event, ...changes }, facts);
  assert.deepEqual(settle, { kind: "ack" });
  const messages = publish.filter(({ routingKey }) => routingKey !== QUEUE.checkRuns);
  assert.ok(messages.length <= 1);
  const [message] = messages;
  if (!message) {
    assert.deepEqual(publish, []);
    return "nothing";
  }
  if (message.exchange !== "") return "cancellation";
  return decode(EvaluationJob, message.body).labels_only ? "labels" : "evaluation";
}

const table: [what: string, changes: Partial<PullRequestEvent>, expected: string][] = [
  ["a pull request is opened", { action: "opened" }, "evaluation"],
  ["its head is pushed", { action: "synchronize" }, "evaluation"],
  ["it is opened again", { action: "reopened" }, "evaluation"],
  ["it becomes ready", { action: "ready_for_review" }, "evaluation"],
  ["it becomes a draft", { action: "converted_to_draft" }, "evaluation"],
  ["its base is changed", { action: "edited", baseChanged: true }, "evaluation"],
  ["WIP is taken from its title", { action: "edited", previousTitle: "WIP: a" }, "evaluation"],
  [
    "WIP is put before its title",
    { action: "edited", previousTitle: "a", title: "[WIP] a" },
    "evaluation",
  ],
  ["its title is changed", { action: "edited", previousTitle: "feat(UI): old" }, "nothing"],
  ["its title has another type", { action: "edited", previousTitle: "fix(ui): old" }, "labels"],
  ["its title has another scope", { action: "edited", previousTitle: "feat: old" }, "labels"],
  [
    "its title and its base are changed",
    { action: "edited", previousTitle: "old", baseChanged: true },
    "evaluation",
  ],
  ["its text is changed", { action: "edited" }, "nothing"],
  ["it is labelled", { action: "labeled" }, "nothing"],
  ["something unknown happens", { action: "teleported" }, "nothing"],
  ["a late event of a closed one comes", { action: "synchronize", state: "closed" }, "nothing"],
  ["it is closed", { action: "closed", state: "closed" }, "cancellation"],
  ["it is merged", { action: "closed", state: "closed", merged: true }, "cancellation"],
  ["the repository is not ours", { repo: { ...event.repo, full_name: "evil/widgets" } }, "nothing"],
  [
    "a foreign one is closed",
    { action: "closed", repo: { ...event.repo, full_name: "a/b" } },
    "nothing",
  ],
];

for (const [what, changes, expected] of table) {
  Deno.test(`when ${what}, there is ${expected}`, () => assert.equal(ledTo(changes), expected));
}

Deno.test("the evaluation job carries the delivery, GitHub's own time and the commit", () => {
  const [, message] = decide(event, facts).publish;
  assert.equal(message!.routingKey, "mass-rebuild-check-jobs");
  assert.deepEqual(decode(EvaluationJob, message!.body), {
    repo: event.repo,
    pr: { target_branch: "main", number: 7, head_sha: "a".repeat(40) },
    request_id: "d-1",
    requested_at: "2024-05-01T10:00:00.000Z",
    reason: "opened",
  });
});

Deno.test("the overall check is told at once what waits, and what was left behind", () => {
  const told = (changes: Partial<PullRequestEvent>) =>
    noticesOf(decide({ ...event, ...changes }, facts));
  const previousHead = "b".repeat(40);
  assert.deepEqual(told({}), ["queued a into main"]);
  assert.deepEqual(told({ action: "synchronize", previousHead }), [
    "queued a into main",
    "superseded b into main",
  ]);
  assert.deepEqual(told({ action: "edited", baseChanged: true, previousBase: "release" }), [
    "queued a into main",
    "superseded a into release",
  ]);
  assert.deepEqual(told({ action: "closed", state: "closed" }), ["closed a into main"]);
  assert.deepEqual(told({ action: "edited", previousTitle: "fix(ui): old" }), []);
});

Deno.test("a redelivery leads to the same message, with or without a delivery id", () => {
  for (const deliveryId of ["d-1", undefined]) {
    const first = decide(event, { config, deliveryId, now: 1 });
    const second = decide(event, { config, deliveryId, now: 2 });
    assert.deepEqual(second, first);
  }
});

Deno.test("a closed pull request's builds are ended, whatever their commit", () => {
  const [message] = decide({ ...event, action: "closed", state: "closed" }, facts).publish;
  assert.equal(message!.exchange, "tickborg.cancellations");
  const cancellation = decode(Cancellation, message!.body);
  assert.equal(cancellation.number, 7);
  assert.equal(cancellation.keep_head_sha, undefined);
});

for (const name of ["converted_to_draft", "edited_base"]) {
  Deno.test(`the recorded payload of ${name} asks for an evaluation`, () => {
    const path = `../data/wire/github_pull_request_${name}.json`;
    const body = Deno.readFileSync(new URL(path, import.meta.url));
    const recorded = { ...parsePullRequestEvent(body), state: "open" };
    const [message] = decide(recorded, facts).publish;
    assert.equal(decode(EvaluationJob, message!.body).pr.head_sha, recorded.headSha);
  });
}
