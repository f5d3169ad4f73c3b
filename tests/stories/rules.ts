/** What holds in every story, whoever does what in whatever order. */
import assert from "node:assert/strict";
import { recall } from "../../lib/check_runs/identity.ts";
import { parseCheckRunName } from "../../lib/check_runs/name.ts";
import { recallOverall } from "../../lib/check_runs/overall/memory.ts";
import type { CheckRun } from "../../lib/github/github.ts";
import { act, type Action, touchedBy } from "./people.ts";
import { BASES, type Stage, StoryWorld, SYSTEMS, TRUSTED } from "./world.ts";

/** What the names of check runs of a base end with, as the README says. */
function suffixOf(base: string | null): string {
  return base === "main" || base === null ? "" : ` (${base})`;
}

/** Whether a check run is one of a base's. */
function isOfBase({ name }: CheckRun, base: string): boolean {
  return base === "main" ? !name.endsWith(")") : name.endsWith(suffixOf(base));
}

/** Whose pull requests, other than the one's who acts, show a check run. */
function isOfOthers(world: StoryWorld, run: CheckRun, who: string): boolean {
  return [...world.github.pulls.values()].some((pull) =>
    pull.state === "open" && pull.author !== who && pull.headSha === run.headSha &&
    isOfBase(run, pull.baseRef)
  );
}

/** What check runs say that show others' pull requests than the one's who acts. */
function shownOfOthers(world: StoryWorld, who: string): Map<string, string | undefined> {
  const runs = world.github.runs.filter((run) =>
    isOfOthers(world, run, who) && !authorsOf(world, run).includes(who)
  );
  return new Map(runs.map((run) => [`${run.headSha} ${run.name}`, run.conclusion]));
}

/** The authors of the pull requests that a check run shows and that hold the overall check of its base. */
function authorsOf({ github }: StoryWorld, { name, headSha, summary }: CheckRun) {
  const suffix = / \([^)]*\)$/.exec(name)?.[0] ?? "";
  const overall = github.runs.find((it) =>
    it.headSha === headSha && it.name === `tickborg${suffix}`
  );
  return [recallOverall(overall?.summary ?? "")?.pull, recall(summary).pull]
    .map((pull) => github.pulls.get(pull ?? 0)?.author);
}

/** Holds a story's rules wherever all is calm. */
function assertTrue(world: StoryWorld, flaky: boolean): void {
  const { github, builder } = world;
  for (const run of github.runs) {
    assert.equal(run.status, "completed", `${run.name} does not end: ${run.title}`);
    if (!/^tickborg( |$)/.test(run.name) || run.conclusion !== "success") continue;
    const memory = recallOverall(run.summary)!;
    const pull = github.pulls.get(memory.pull)!;
    assert.equal(run.name, `tickborg${suffixOf(memory.base)}`);
    const systems = TRUSTED.includes(pull.author) ? SYSTEMS : SYSTEMS.slice(0, 1);
    for (const project of touchedBy(world, run.headSha)) {
      for (const system of systems) {
        const builds = builder.built.filter((it) =>
          it.pull === pull.number && it.head === run.headSha && it.base === memory.baseSha &&
          it.project === project && it.system === system
        );
        const what = `${run.name} of #${pull.number} is green: ${project} on ${system}`;
        const test = project === "b";
        assert.ok(builds.some((it) => it.passed && (it.test || !test)), `${what} was not built`);
        assert.ok(flaky || builds.every(({ passed }) => passed), `${what} failed`);
      }
    }
  }
}

/** Holds that the check of each open pull request is there, and shows one that is open too. */
function assertHeld({ github }: StoryWorld): void {
  for (const { number, state, headSha, baseRef } of github.pulls.values()) {
    if (state === "closed") continue;
    const name = `tickborg${suffixOf(baseRef)}`;
    const run = github.runs.find((it) => it.headSha === headSha && it.name === name);
    assert.ok(run, `#${number} has no ${name}`);
    const holder = github.pulls.get(recallOverall(run.summary)!.pull)!;
    assert.deepEqual(
      [holder.state, holder.headSha, holder.baseRef],
      ["open", headSha, baseRef],
      `${name} of #${number} shows #${holder.number}, which has left`,
    );
  }
}

/** Holds that what a pull request's commit has been tested for is not green by a build without tests. */
function assertTested({ github, builder, stage }: StoryWorld): void {
  for (const { name, headSha, conclusion, summary } of github.runs) {
    const { pull, test } = recall(summary);
    if (pull === undefined || test === true || conclusion !== "success") continue;
    const { project, system, suffix } = parseCheckRunName(name);
    const tips = stage.tips.get(BASES.find((base) => suffixOf(base) === suffix)!)!;
    const builds = builder.built.filter((it) =>
      it.head === headSha && it.project === project && it.system === system &&
      tips.some((tip) => tip === it.base)
    );
    // Another pull request may have had the check run meanwhile.
    if (builds.some((it) => it.pull !== pull)) continue;
    assert.ok(!builds.some((it) => it.test), `${name} of #${pull} was tested and shows a build`);
  }
}

/** What happens, and what is left to chance. */
export interface Story {
  readonly seed: number;
  /** Whether builds of one merge may end otherwise each time. */
  readonly flaky: boolean;
  readonly actions: readonly Action[];
  /** After which actions everything ends before the next. */
  readonly calm: readonly boolean[];
}

/** Tells a story, and holds the rules all along. */
export async function tell(stage: Stage, { seed, flaky, actions, calm }: Story): Promise<void> {
  const world = await StoryWorld.begin(stage, { seed, flaky });
  for (const [index, action] of actions.entries()) {
    const stranger = !TRUSTED.includes(action.who) && action.what !== "move base";
    if (stranger || calm[index]) {
      await world.settle();
      assertTrue(world, flaky);
    }
    const before = stranger ? shownOfOthers(world, action.who) : new Map();
    await act(world, action);
    if (!stranger) {
      await world.go(world.random.whole(0, 12));
      continue;
    }
    await world.settle();
    for (const [key, conclusion] of before) {
      const run = world.github.runs.find(({ headSha, name }) => `${headSha} ${name}` === key)!;
      if (!isOfOthers(world, run, action.who)) continue;
      assert.equal(run.conclusion, conclusion, `${action.who} changed ${key}: ${run.title}`);
    }
  }
  await world.settle();
  assertTrue(world, flaky);
  assertTested(world);
  assertHeld(world);
}
