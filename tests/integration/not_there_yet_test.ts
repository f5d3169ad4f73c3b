/** A whole fleet whose git server is behind GitHub, for a while or for good. */
import assert from "node:assert/strict";
import { gitText } from "../../lib/git/git.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { type Fleet, type FleetOptions, startFleet } from "../../testing/fleet.ts";
import type { FakePull } from "../../testing/fake_github/mod.ts";
import { until } from "../../testing/waiting.ts";

const CHECK = `core on ${hostSystem()}`;

function fleetWith(options: Partial<FleetOptions> = {}): Promise<Fleet> {
  const projects = [
    { name: "core", path: "core", build_system: { Custom: { command: "cat version" } } },
  ];
  return startFleet({ files: { "core/version": "1\n" }, projects, ...options });
}

/** Opens a pull request of which GitHub's API knows, and git does not. */
async function openUnseen({ repository, monorepo }: Fleet): Promise<FakePull> {
  repository.setHead = (pull, sha) => {
    repository.addCommit(sha);
    pull.headSha = sha;
    return Promise.resolve();
  };
  const headSha = await monorepo.commit("change", { "core/version": "2\n" });
  return await repository.openPullRequest({ headSha, headRef: "change", author: "ada" });
}

/** Waits until git was asked some more times, in vain. */
async function askedInVain({ monorepo }: Fleet, times: number): Promise<void> {
  const before = monorepo.server.requests;
  await until(`${times} requests`, () => monorepo.server.requests >= before + times);
}

Deno.test("a pull request whose ref comes after some tries is built, and was never red", async () => {
  await using fleet = await fleetWith();
  const pull = await openUnseen(fleet);
  await fleet.expectEvaluation(pull, "pending");
  await askedInVain(fleet, 6);
  await fleet.monorepo.setPullHead(pull.number, pull.headSha);
  await fleet.expectEvaluation(pull, "success");
  await fleet.expectCheck(pull, CHECK, "success");
  const states = fleet.repository.statuses(pull.headSha).map(({ state }) => state);
  assert.deepEqual(states, ["success", "pending"]);
});

Deno.test("a pull request whose ref never comes is told of, and built once the sweep finds it", async () => {
  await using fleet = await fleetWith({
    configure: (config) => void (config.github_comment_poster = { sweep_interval_seconds: 1 }),
  });
  const pull = await openUnseen(fleet);
  const told = await fleet.expectEvaluation(pull, "error");
  assert.match(told.description, /Git cannot find refs\/pull\/1\/head; push again or comment/);
  await fleet.monorepo.setPullHead(pull.number, pull.headSha);
  await fleet.expectEvaluation(pull, "success");
  await fleet.expectCheck(pull, CHECK, "success");
});

/** Has GitHub tell of a push to main that its git server does not know until it is shown. */
async function pushUnseen({ repository, monorepo }: Fleet) {
  const git = (...args: string[]) =>
    gitText(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", ...args], {
      cwd: monorepo.workTree,
      allowLocal: true,
    });
  const before = await git("rev-parse", "HEAD");
  await Deno.writeTextFile(`${monorepo.workTree}/core/version`, "3\n");
  await git("commit", "--quiet", "--all", "-m", "core: three");
  const after = await git("rev-parse", "HEAD");
  repository.addCommit(after);
  await repository.push({ ref: "main", before, after });
  return { after, show: () => git("push", "--quiet", "origin", "main") };
}

Deno.test("a pushed commit that comes after some tries is built", async () => {
  await using fleet = await fleetWith();
  const { after, show } = await pushUnseen(fleet);
  await askedInVain(fleet, 6);
  await show();
  const check = await fleet.github.waitForCheckRun(CHECK, "success", { headSha: after });
  assert.match(await fleet.log(check), /^3$/m);
  const names = fleet.repository.checkRuns(after).map(({ name }) => name);
  assert.deepEqual(names, [CHECK]);
});

Deno.test("a pushed commit that never comes is told of on the commit", async () => {
  await using fleet = await fleetWith();
  const { after } = await pushUnseen(fleet);
  const name = `push to main on ${hostSystem()}`;
  const check = await fleet.github.waitForCheckRun(name, "failure", { headSha: after });
  assert.match(check.summary, new RegExp(`git cannot find commit ${after}\\. Push again`));
  assert.doesNotMatch(`${check.text}`, /main\.ts local/, "there is nothing to reproduce");
});
