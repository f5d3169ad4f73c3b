/**
 * Random stories over one repository: several pull requests on shared commits and bases, pushes, drafts,
 * closes, comments of trusted people and strangers, builds that end in any order, results twice and late.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { recall } from "../../lib/check_runs/identity.ts";
import { baseSuffix, isOverall } from "../../lib/check_runs/name.ts";
import { recallOverall } from "../../lib/check_runs/overall/memory.ts";
import type { CheckRun } from "../../lib/github/github.ts";
import { act, type Action, PEOPLE, touchedBy } from "./people.ts";
import { BASES, makeStage, type Stage, StoryWorld, SYSTEMS, TRUSTED } from "./world.ts";

const WHAT = ["open", "open", "comment", "comment", "comment"] as const;
const RARE = ["push", "close", "reopen", "draft", "ready", "retarget", "move base"] as const;

const action: fc.Arbitrary<Action> = fc.record({
  who: fc.constantFrom(...PEOPLE),
  what: fc.constantFrom(...WHAT, ...RARE),
  which: fc.nat(20),
  other: fc.nat(40),
});
const story = fc.record({
  seed: fc.integer(),
  actions: fc.array(action, { minLength: 3, maxLength: 14, size: "max" }),
  /** After which actions everything ends before the next. */
  calm: fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }),
});

/** Whose pull requests, other than the one's who acts, show a check run. */
function isOfOthers(world: StoryWorld, run: CheckRun, who: string): boolean {
  return [...world.github.pulls.values()].some((pull) =>
    pull.state === "open" && pull.author !== who && pull.headSha === run.headSha &&
    run.name.endsWith(baseSuffix(pull.baseRef, "main")) &&
    (pull.baseRef !== "main" || !run.name.endsWith(")"))
  );
}

/** What check runs say that show others' pull requests than the one's who acts. */
function shownOfOthers(world: StoryWorld, who: string): Map<string, string | undefined> {
  const runs = world.github.runs.filter((run) =>
    isOfOthers(world, run, who) && authorOf(world, run) !== who
  );
  return new Map(runs.map((run) => [`${run.headSha} ${run.name}`, run.conclusion]));
}

/** The author of the pull request that holds a check run. */
function authorOf({ github }: StoryWorld, { summary }: CheckRun): string | undefined {
  const number = recallOverall(summary)?.pull ?? recall(summary).pull ?? 0;
  return github.pulls.get(number)?.author;
}

/** Holds a story's rules wherever all is calm. */
function assertTrue(world: StoryWorld): void {
  const { github, builder } = world;
  for (const run of github.runs) {
    assert.equal(run.status, "completed", `${run.name} does not end: ${run.title}`);
    if (!isOverall(run.name) || run.conclusion !== "success") continue;
    const memory = recallOverall(run.summary)!;
    const pull = github.pulls.get(memory.pull)!;
    assert.equal(run.name, `tickborg${baseSuffix(memory.base, "main")}`);
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
        assert.ok(builds.every(({ passed }) => passed), `${what} failed`);
      }
    }
  }
}

async function tell(
  stage: Stage,
  { seed, actions, calm }: typeof story extends fc.Arbitrary<infer T> ? T : never,
) {
  const world = await StoryWorld.begin(stage, seed);
  for (const [index, action] of actions.entries()) {
    const stranger = !TRUSTED.includes(action.who) && action.what !== "move base";
    if (stranger || calm[index]) {
      await world.settle();
      assertTrue(world);
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
  assertTrue(world);
}

Deno.test("A green check is a merge whose every build passed, and no stranger changes others' checks", async () => {
  const stage = await makeStage();
  try {
    const property = fc.asyncProperty(story, (it) => tell(stage, it));
    const seed = Number(Deno.env.get("FUZZ_SEED") ?? 20_261_128);
    await fc.assert(property, {
      seed,
      numRuns: Number(Deno.env.get("FUZZ_RUNS") ?? 25),
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
    for (const seed of [1, 2, 3]) {
      const world = await StoryWorld.begin(stage, seed);
      const all = [["ada", "main"], ["carl", "release"], ["mallory", "main"]] as const;
      for (const [who, base] of all) {
        const other = BASES.indexOf(base) + 2;
        await act(world, { who, what: "open", which: seed % 3, other });
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
