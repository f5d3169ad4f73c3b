/**
 * Random stories over one repository: several pull requests on shared commits and bases, pushes, drafts,
 * closes, comments of trusted people and strangers, builds that end in any order, results twice and late.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { recall } from "../../lib/check_runs/identity.ts";
import { recallOverall } from "../../lib/check_runs/overall/memory.ts";
import type { CheckRun } from "../../lib/github/github.ts";
import { act, type Action, PEOPLE, touchedBy } from "./people.ts";
import { BASES, makeStage, type Stage, StoryWorld, SYSTEMS, TRUSTED } from "./world.ts";

const OFTEN = ["open", "comment", "comment", "comment", "comment"] as const;
const RARE = ["push", "close", "reopen", "draft", "ready", "retarget", "move base"] as const;

/** Few pull requests on few commits, so that they meet. */
const action: fc.Arbitrary<Action> = fc.record({
  who: fc.constantFrom(...PEOPLE),
  what: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...OFTEN) },
    { weight: 1, arbitrary: fc.constantFrom(...RARE) },
  ),
  which: fc.nat(3),
  other: fc.nat(40),
});
const opening: fc.Arbitrary<Action> = action.map((it) => ({ ...it, what: "open" }));
const story = fc.record({
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
