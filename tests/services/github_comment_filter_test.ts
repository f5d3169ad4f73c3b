import assert from "node:assert/strict";
import type { CommentEvent } from "../../lib/github/comment_payloads.ts";
import { commandsOf } from "../../services/github_comment_filter.ts";
import { answers, evaluate, evaluated, harness, say } from "../support/comments.ts";
import { builds, cancellations, jobs } from "../support/published.ts";

Deno.test("a command is acknowledged at once and its jobs go to each system's queue", async () => {
  await using at = await harness();
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
  await using at = await harness();
  const pull = await evaluated(at);
  const said = await say(at, pull, "@tickbot test cmark @tickbot build cmark cmark");
  assert.deepEqual(builds(await at.deliver(said.payload)), ["cmark on x86_64-linux +test"]);
});

Deno.test("an unknown project is answered with what there is, and the known ones are built", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build cmrak zip cmark");
  assert.deepEqual(builds(await at.deliver(payload)), ["cmark on x86_64-linux"]);
  const [answer] = answers(at, pull);
  assert.match(answer!, /There is no project `cmrak`, so it is not built\. Did you mean `cmark`\?/);
  assert.match(answer!, /There is no project `zip`, so it is not built\. Did you mean `Zip`\?/);
  assert.match(answer!, /Projects: `cmark`, `Zip`, `arm`\./);
});

Deno.test("help comes for the asking", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const { payload, comment } = await say(at, pull, "@tickbot help");
  assert.deepEqual((await at.deliver(payload)).published, []);
  const [answer] = answers(at, pull);
  assert.match(answer!, /@tickbot test <project>…/);
  assert.match(answer!, /Projects: `cmark`, `Zip`, `arm`\./);
  assert.deepEqual(comment.reactions, ["eyes"]);
});

Deno.test("who is not understood gets one line and no eyes", async () => {
  await using at = await harness();
  const table: [body: string, line: RegExp][] = [
    ["@tickbot build", /^@stranger Name the projects to build\. `@tickbot help` lists/],
    ["@tickbot bulid cmark", /^@stranger There is no command `bulid`; did you mean build\?/],
    ["@tickbot", /^@stranger No command was given\./],
  ];
  for (const [body, line] of table) {
    const pull = await evaluated(at);
    const { payload, comment } = await say(at, pull, body);
    assert.deepEqual((await at.deliver(payload)).published, []);
    const [answer, ...others] = answers(at, pull);
    const [_marker, text, ...more] = answer!.split("\n");
    assert.match(text!, line);
    assert.deepEqual([others, more, comment.reactions], [[], [], []]);
  }
});

Deno.test("an unknown system is told as such, and nothing is built elsewhere instead", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build cmark on riscv-linux", "ada");
  assert.deepEqual(builds(await at.deliver(payload)), []);
  assert.match(
    answers(at, pull)[0]!,
    /\n@ada There is no system `riscv-linux`; the fleet serves `x86_64-linux`, `aarch64-linux`\.$/,
  );
});

Deno.test("the list is the base branch's; without one the answer says so", async () => {
  await using at = await harness({ projects: undefined as never });
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
  await using at = await harness();
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

Deno.test("builds are cancelled by the author and by trusted people", async () => {
  await using at = await harness();
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
  await using at = await harness();
  const pull = await evaluated(at);
  const { payload } = await say(at, pull, "@tickbot build cmark nonsense");
  at.github.fail({ status: 403, on: /POST .*\/(reactions|comments)$/, message: "Locked" });
  assert.deepEqual(builds(await at.deliver(payload)), ["cmark on x86_64-linux"]);
});

Deno.test("a comment on a closed pull request gets one answer and builds nothing", async () => {
  await using at = await harness();
  for (const body of ["@tickbot build cmark", "@tickbot eval @tickbot cancel", "@tickbot bulid"]) {
    const pull = await evaluated(at);
    await at.repository.closePullRequest(pull.number);
    const { payload, comment } = await say(at, pull, body, "ada");
    assert.deepEqual((await at.deliver(payload)).published, []);
    assert.deepEqual((await at.deliver(payload)).published, []);
    const [answer, ...others] = answers(at, pull);
    assert.match(answer!, /\n@ada This pull request is closed, so nothing is done\. Reopen it/);
    assert.deepEqual([others, comment.reactions], [[], []]);
  }
});

Deno.test("help and prose on a closed pull request are what they are on an open one", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  await at.repository.closePullRequest(pull.number);
  await at.deliver((await say(at, pull, "well done")).payload);
  assert.deepEqual(answers(at, pull), []);
  await at.deliver((await say(at, pull, "@tickbot help")).payload);
  assert.match(answers(at, pull)[0]!, /Projects: `cmark`, `Zip`, `arm`\./);
});

Deno.test("a pull request that was closed meanwhile is answered", async () => {
  await using at = await harness();
  const pull = await evaluated(at);
  const { payload, comment } = await say(at, pull, "@tickbot build cmark");
  await at.repository.closePullRequest(pull.number);
  assert.deepEqual((await at.deliver(payload)).published, []);
  assert.deepEqual(comment.reactions, []);
  assert.match(answers(at, pull)[0]!, /This pull request is closed/);
});

const event: CommentEvent = {
  action: "created",
  repo: { owner: "Acme", name: "Web.js", full_name: "Acme/Web.js", clone_url: "https://x/y.git" },
  number: 7,
  isPullRequest: true,
  state: "open",
  kind: "comment",
  commentId: 1,
  body: "@tickbot eval",
  author: "ann",
  authorType: "User",
  createdAt: "2024-05-01T10:00:00Z",
};

const comments: [what: string, changes: Partial<CommentEvent>, commands: number][] = [
  ["a comment", {}, 1],
  ["prose", { body: "nice" }, 0],
  ["an edited comment", { action: "edited" }, 0],
  ["a deleted comment", { action: "deleted" }, 0],
  ["an action nobody knows", { action: "pinned" }, 0],
  ["a comment on an issue", { isPullRequest: false }, 0],
  ["a comment on a closed pull request", { state: "closed" }, 1],
  ["a review", { kind: "review", action: "submitted" }, 1],
  ["a dismissed review", { kind: "review", action: "dismissed" }, 0],
  ["an edited review", { kind: "review", action: "edited" }, 0],
  ["a bot's review", { kind: "review", action: "submitted", authorType: "Bot" }, 0],
  ["a comment on code", { kind: "review-comment" }, 1],
  ["an edited comment on code", { kind: "review-comment", action: "edited" }, 0],
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
