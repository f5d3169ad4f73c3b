/**
 * Random stories over one repository: several pull requests on shared commits and bases, pushes, drafts,
 * closes, comments of trusted people and strangers, builds that end in any order, results twice and late.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { act, type Action, COMMANDS, PEOPLE } from "./people.ts";
import { tell } from "./rules.ts";
import { makeStage, StoryWorld } from "./world.ts";

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

Deno.test("A green check is a merge whose every build passed, and no stranger changes others' checks", async () => {
  const stage = await makeStage();
  try {
    const property = fc.asyncProperty(story, (it) => tell(stage, it));
    const seed = Number(Deno.env.get("FUZZ_SEED") ?? 20_261_128);
    await fc.assert(property, {
      seed,
      numRuns: Number(Deno.env.get("FUZZ_RUNS") ?? 40),
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
