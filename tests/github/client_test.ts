import assert from "node:assert/strict";
import { createGitHub } from "../../lib/github/client.ts";
import { parsePrivateKey } from "../../lib/github/from_config.ts";
import type { GitHub } from "../../lib/github/github.ts";
import {
  type FakeGitHub,
  type FakeRepository,
  startFakeGitHub,
} from "../../testing/fake_github/mod.ts";

const SHA = "a".repeat(40);

interface Scene {
  readonly fake: FakeGitHub;
  readonly repo: FakeRepository;
  readonly github: GitHub;
}

/** Runs a story with a fake GitHub, a repository with one pull request, and our client. */
function story(name: string, tell: (scene: Scene) => Promise<void>): void {
  Deno.test(name, async () => {
    const fake = await startFakeGitHub();
    try {
      const repo = fake.addRepository({ fullName: "Acme/mono.repo", cloneUrl: "http://git.test/" });
      await repo.openPullRequest({ headSha: SHA, title: "feat(core): x", author: "ada" });
      const github = createGitHub({
        apiUrl: fake.url,
        appId: fake.app.id,
        privateKey: parsePrivateKey(fake.app.privateKey),
      });
      await tell({ fake, repo, github });
    } finally {
      await fake.close();
    }
  });
}

story(
  "a pull request is read, and one that does not exist is undefined",
  async ({ repo, github }) => {
    await repo.addLabel(1, "bug");
    const pull = await github.pullRequest(repo, 1);
    assert.match(pull?.cloneUrl ?? "", /^https?:/);
    assert.equal(pull?.headPushedAt, repo.pull(1).headPushedAt);
    assert.deepEqual({ ...pull, updatedAt: "", headPushedAt: "", cloneUrl: "" }, {
      number: 1,
      title: "feat(core): x",
      state: "open",
      draft: false,
      author: "ada",
      headSha: SHA,
      baseRef: "main",
      labels: ["bug"],
      updatedAt: "",
      headPushedAt: "",
      cloneUrl: "",
      defaultBranch: "main",
    });
    assert.equal(await github.pullRequest(repo, 99), undefined);
    await repo.closePullRequest(1);
    assert.equal((await github.pullRequest(repo, 1))?.state, "closed");
  },
);

story("open pull requests are listed over several pages", async ({ repo, github }) => {
  for (let number = 2; number <= 230; number++) await repo.openPullRequest({ headSha: SHA });
  await repo.closePullRequest(7);
  const pulls = await github.openPullRequests(repo);
  assert.equal(pulls.length, 229);
  assert.equal(new Set(pulls.map(({ number }) => number)).size, 229);
});

story("a status is written, cut to GitHub's length, and read newest first", async (scene) => {
  const { repo, github } = scene;
  const status = { context: "tickborg/evaluation", targetUrl: "https://ci.test/?key=a" };
  await github.setStatus(repo, SHA, { ...status, state: "pending", description: "Looking" });
  await github.setStatus(repo, SHA, {
    ...status,
    state: "success",
    description: "\u{1F600}".repeat(100),
  });
  const statuses = await github.statuses(repo, SHA);
  assert.deepEqual(statuses?.map(({ state }) => state), ["success", "pending"]);
  assert.equal(statuses?.[0]?.targetUrl, "https://ci.test/?key=a");
  assert.ok(statuses[0].description.isWellFormed());
  assert.ok(Date.parse(statuses[0].createdAt!) > 0);
  assert.equal(await github.statuses(repo, "c".repeat(40)), undefined);
});

story("a check run goes from queued to completed", async ({ repo, github }) => {
  const run = await github.createCheckRun(repo, {
    name: "core on x86_64-linux",
    headSha: SHA,
    status: "queued",
    externalId: "2026-01-01T00:00:00.000Z/abc",
    title: "Queued",
    summary: "Waiting",
  });
  await github.updateCheckRun(repo, run.id, {
    status: "in_progress",
    externalId: run.externalId,
    title: "Building",
    summary: "…",
    startedAt: "2026-01-01T00:00:00.000Z",
  });
  await github.updateCheckRun(repo, run.id, {
    status: "completed",
    conclusion: "failure",
    externalId: run.externalId,
    title: "Failed",
    summary: "s".repeat(70_000),
    text: "\u{1F600}".repeat(40_000) + "\0",
    detailsUrl: "https://ci.test/?key=a",
  });
  const [read, ...others] = (await github.checkRuns(repo, SHA))!;
  assert.deepEqual(others, []);
  assert.equal(read?.conclusion, "failure");
  assert.equal(read.externalId, run.externalId);
  assert.ok(read.text!.isWellFormed());
  assert.match(read.summary, /cut here$/);
  assert.deepEqual(repo.checkRuns(SHA)[0]?.history, ["queued", "in_progress", "failure"]);
  assert.deepEqual(await github.checkRuns(repo, SHA, "another"), []);
  assert.equal(await github.checkRuns(repo, "c".repeat(40)), undefined);
});

story("a completed check run can be opened again", async ({ repo, github }) => {
  const run = { name: "core", headSha: SHA, externalId: "1", title: "t", summary: "s" };
  const { id } = await github.createCheckRun(repo, {
    ...run,
    status: "completed",
    conclusion: "failure",
  });
  await github.updateCheckRun(repo, id, { ...run, status: "queued", externalId: "2" });
  const [read] = (await github.checkRuns(repo, SHA, "core"))!;
  assert.equal(read?.status, "queued");
  assert.equal(read.conclusion, undefined);
});

story("labels of the App are told from those of people", async ({ repo, github }) => {
  await repo.addLabel(1, "by hand");
  await github.addLabels(repo, 1, ["core", "docs", "ui: x/y"]);
  await github.removeLabel(repo, 1, "ui: x/y");
  await github.removeLabel(repo, 1, "never there");
  assert.deepEqual(repo.labels(1), ["by hand", "core", "docs"]);
  assert.deepEqual(await github.labelsAddedByApp(repo, 1), ["core", "docs"]);
});

story("a comment is reacted to once", async ({ repo, github }) => {
  const comment = await repo.comment(1, "@tickbot build core");
  const onCode = await repo.reviewComment(1, "@tickbot build core");
  for (const { kind, id: commentId } of [comment, comment, onCode, onCode]) {
    assert.ok(kind !== "review");
    await github.react(repo, { kind, commentId });
  }
  assert.deepEqual(comment.reactions, ["eyes"]);
  assert.deepEqual(onCode.reactions, ["eyes"]);
});

story("a reply is written once into the thread, whoever else writes the marker", async (scene) => {
  const { repo, github } = scene;
  const first = await repo.reviewComment(1, "what is this?");
  await repo.reviewComment(1, "<!-- answer-to-1 --> fooled you", { inReplyTo: first.id });
  const thread = { number: 1, threadId: first.id };
  assert.equal(
    await github.replyOnce(repo, thread, { marker: "answer-to-1", body: "No such project" }),
    true,
  );
  assert.equal(
    await github.replyOnce(repo, thread, { marker: "answer-to-1", body: "No such project" }),
    true,
  );
  const ours = repo.comments(1).filter(({ byApp }) => byApp);
  assert.deepEqual(ours.map(({ kind, inReplyTo }) => [kind, inReplyTo]), [
    ["review-comment", first.id],
  ]);
  const gone = { number: 1, threadId: 1 };
  assert.equal(
    await github.replyOnce(repo, gone, { marker: "answer-to-2", body: "No such project" }),
    false,
  );
});

story("a marked comment is written once, whoever else writes the marker", async (scene) => {
  const { repo, github } = scene;
  await repo.comment(1, "<!-- tickborg:refused:1 --> fooled you");
  await github.commentOnce(repo, 1, { marker: "tickborg:refused:1", body: "The head moved" });
  await github.commentOnce(repo, 1, { marker: "tickborg:refused:1", body: "The head moved" });
  await github.commentOnce(repo, 1, { marker: "tickborg:refused:12", body: "Another" });
  const ours = repo.comments(1).filter(({ byApp }) => byApp);
  assert.equal(ours.length, 2);
  assert.match(ours[0]!.body, /The head moved$/);
  await github.commentOnce(repo, 1, { marker: "long", body: "\u{1F600}".repeat(40_000) });
  await github.commentOnce(repo, 1, { marker: "long", body: "again" });
  assert.match(repo.comments(1).at(-1)!.body, /^<!-- long -->\n[^\uFFFD]+cut here$/);
});

story("permissions are read, and strangers have none", async ({ repo, github }) => {
  repo.permissions.set("ada", "admin").set("gone", "unknown user");
  assert.equal(await github.permission(repo, "ada"), "admin");
  assert.equal(await github.permission(repo, "bob"), "read");
  assert.equal(await github.permission(repo, "gone"), "none");
});

story("a file is read at a ref, byte for byte", async ({ repo, github }) => {
  repo.files.set("dir/.tickborg.json", '{"projects":[]} ü');
  const bytes = await github.fileAt(repo, SHA, "dir/.tickborg.json");
  assert.equal(new TextDecoder().decode(bytes), '{"projects":[]} ü');
  assert.equal(await github.fileAt(repo, SHA, "missing"), undefined);
});

story("the API of a GitHub Enterprise Server lies under a prefix", async ({ fake, repo }) => {
  const github = createGitHub({
    apiUrl: `${fake.url}/api/v3/`,
    appId: fake.app.id,
    privateKey: parsePrivateKey(fake.app.privateKey),
  });
  assert.equal((await github.pullRequest(repo, 1))?.number, 1);
});

story("few requests are made: one look-up and one token for many reads", async (scene) => {
  const { fake, repo, github } = scene;
  await Promise.all(Array.from({ length: 10 }, () => github.pullRequest(repo, 1)));
  const count = (part: string) => fake.requests.filter((it) => it.includes(part)).length;
  assert.equal(count("/installation"), 1 + count("access_tokens"));
  assert.equal(count("access_tokens"), 1);
});
