/**
 * Random stories over one repository: several pull requests on shared commits and bases, pushes, drafts,
 * closes, comments of trusted people and strangers, builds that end in any order, results twice and late.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { recall } from "../../lib/check_runs/identity.ts";
import { parseCheckRunName } from "../../lib/check_runs/name.ts";
import { recallOverall } from "../../lib/check_runs/overall/memory.ts";
import type { CheckRun } from "../../lib/github/github.ts";
import { act, type Action, COMMANDS, PEOPLE, touchedBy } from "./people.ts";
import { BASES, makeStage, type Stage, StoryWorld, SYSTEMS, TRUSTED } from "./world.ts";

const OFTEN = ["open", "comment", "comment", "comment", "comment"] as const;
const RARE = ["push", "close", "reopen", "draft", "ready", "retarget", "move base"] as const;

/** What a story is about: a few changes, people and commands only, so that they meet. */
interface Focus {
  readonly heads: number;
  readonly bases: number;
  readonly people: readonly Action["who"][];
  readonly commands: readonly number[];
  readonly rare: readonly Action["what"][];
}
const focus: fc.Arbitrary<Focus> = fc.record({
  heads: fc.constantFrom(1, 1, 2, 4),
  bases: fc.constantFrom(1, 2),
  people: fc.subarray([...PEOPLE], { minLength: 2 }),
  commands: fc.subarray(COMMANDS.map((_, index) => index), { minLength: 2 }),
  rare: fc.subarray([...RARE], { minLength: 2 }),
});

function actionOf({ heads, bases, people, commands, rare }: Focus): fc.Arbitrary<Action> {
  return fc.record({
    who: fc.constantFrom(...people),
    what: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom<Action["what"]>(...OFTEN) },
      { weight: 1, arbitrary: fc.constantFrom(...rare) },
    ),
    which: fc.nat(3),
    head: fc.nat(heads - 1),
    base: fc.nat(bases - 1),
    command: fc.constantFrom(...commands),
    draft: fc.nat(4).map((it) => it === 0),
  });
}

const story = focus.chain((it) => {
  const action = actionOf(it);
  const opening = action.map((first): Action => ({ ...first, what: "open" }));
  return fc.record({
    seed: fc.integer(),
    /** Whether builds of one merge may end otherwise each time. */
    flaky: fc.boolean(),
    actions: fc.tuple(
      fc.array(opening, { minLength: 2, maxLength: 3 }),
      fc.array(action, { minLength: 4, maxLength: 14, size: "max" }),
    ).map(([first, then]) => [...first, ...then]),
    /** After which actions everything ends before the next. */
    calm: fc.array(fc.boolean(), { minLength: 17, maxLength: 17 }),
  });
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

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

async function tell(stage: Stage, { seed, flaky, actions, calm }: Story): Promise<void> {
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

Deno.test("A green check is a merge whose every build passed, and no stranger changes others' checks", async () => {
  const stage = await makeStage();
  try {
    const property = fc.asyncProperty(story, (it) => tell(stage, it));
    const seed = Number(Deno.env.get("FUZZ_SEED") ?? 20_261_128);
    await fc.assert(property, {
      seed,
      numRuns: Number(Deno.env.get("FUZZ_RUNS") ?? 60),
      endOnFailure: Deno.env.get("FUZZ_SHRINK") === undefined,
    });
  } finally {
    await stage.close();
  }
});

Deno.test("Stories reach what they are about", async () => {
  const stage = await makeStage();
  try {
    const seen = new Set<string>();
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const world = await StoryWorld.begin(stage, { seed, flaky: false });
      const all = [["ada", 0], ["carl", 1], ["mallory", 0]] as const;
      for (const [who, base] of all) {
        const more = { which: 0, command: 0, draft: false };
        await act(world, { who, what: "open", head: seed % 3, base, ...more });
        await world.settle();
      }
      for (const { name, conclusion } of world.github.runs) seen.add(`${name} ${conclusion}`);
    }
    assert.ok(seen.has("tickborg success") && seen.has("tickborg failure"), [...seen].join("\n"));
    assert.ok([...seen].some((it) => it.startsWith("tickborg (release) ")));
  } finally {
    await stage.close();
  }
});
