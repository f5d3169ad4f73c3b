/** Two pull requests with one head commit, through the whole fleet: neither speaks for the other. */
import assert from "node:assert/strict";
import { hostSystem } from "../../lib/messages/systems.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";

const CORE = `core on ${hostSystem()}`;

/** A fleet whose `release` still builds, and whose `main` does not. */
async function fleetWithBranches(): Promise<{ fleet: Fleet; headSha: string }> {
  const fleet = await startFleet({
    files: { "core/build.sh": "true\n", "core/version": "1\n" },
    projects: [{
      name: "core",
      path: "core",
      build_system: { Custom: { command: "sh build.sh" } },
    }],
  });
  await fleet.monorepo.commit("release", { "README.md": "release\n" });
  await fleet.monorepo.commit("main", { "core/build.sh": "exit 7\n" });
  const change = { "core/version": "2\n" };
  const headSha = await fleet.monorepo.commit("topic", change, { from: "main~1" });
  return { fleet, headSha };
}

Deno.test("What is red into main stays red when the same commit is green into another branch", async () => {
  const { fleet, headSha } = await fleetWithBranches();
  await using _ = fleet;
  const { repository } = fleet;
  const one = await repository.openPullRequest({ headSha, headRef: "topic", author: "ada" });
  await fleet.expectCheck(one, "tickborg", "failure");
  const two = await repository.openPullRequest({
    headSha,
    headRef: "topic",
    author: "stranger",
    baseRef: "release",
  });
  await fleet.expectCheck(two, "tickborg (release)", "success");
  const shown = Object.fromEntries(
    repository.checkRuns(headSha).map(({ name, conclusion }) => [name, conclusion]),
  );
  assert.deepEqual(shown, {
    tickborg: "failure",
    [CORE]: "failure",
    "tickborg (release)": "success",
    [`${CORE} (release)`]: "success",
  });
  const contexts = repository.statuses(headSha).map(({ context }) => context);
  assert.deepEqual(
    [...new Set(contexts)].sort(),
    ["tickborg/evaluation", "tickborg/evaluation (release)"],
  );
});

Deno.test("A copy into the same branch holds the check when the first one is closed", async () => {
  const { fleet, headSha } = await fleetWithBranches();
  await using _ = fleet;
  const { repository } = fleet;
  const input = { headSha, headRef: "topic", baseRef: "release" };
  const one = await repository.openPullRequest({ ...input, author: "ada" });
  const shown = () =>
    repository.checkRuns(headSha).find(({ name }) => name === "tickborg (release)");
  await fleet.expectCheck(one, "tickborg (release)", "success");
  await repository.openPullRequest({ ...input, author: "stranger" });
  await fleet.github.waitFor(() => shown()!.summary.includes("#1") && shown());
  await fleet.github.waitForStatus("tickborg/evaluation (release) #2", "success", { sha: headSha });
  assert.match(shown()!.summary, /Pull request #1:/);
  await repository.closePullRequest(1);
  await fleet.github.waitFor(() => {
    const run = shown()!;
    return run.summary.includes("Pull request #2:") && run.conclusion === "success" && run;
  });
});

Deno.test("A comment of a stranger changes nothing that another's checks show", async () => {
  const { fleet } = await fleetWithBranches();
  await using _ = fleet;
  const files = { "core/build.sh": "exit 3\n" };
  const pull = await fleet.openPullRequest({ files, title: "core: fail", author: "ada" });
  const red = await fleet.expectCheck(pull, "tickborg", "failure");
  const before = red.history.length;
  for (const command of ["build core", "test core", "eval", "cancel"]) {
    const comment = await fleet.comment(pull, `@tickbot ${command}`, "mallory");
    await fleet.github.waitFor(() =>
      fleet.repository.comments(pull.number)
        .some(({ byApp, body }) => byApp && body.includes(`answer-to-${comment.id}`))
    );
  }
  assert.equal(fleet.repository.checkRuns(pull.headSha).length, 2);
  assert.equal(red.history.length, before);
});
