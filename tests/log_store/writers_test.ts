/** One log and several writers, of which all but one are dead or out of date. */
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { ID, inStore, KEY, lines, text } from "./tools.ts";

/** What happens to a log in the property test. */
type Step =
  | { kind: "lines"; first: number; count: number }
  | { kind: "reopened" }
  | { kind: "torn"; garbage: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("lines" as const),
      first: fc.integer({ min: 1, max: 40 }),
      count: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "reopened" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("torn" as const),
      garbage: fc.stringMatching(/^[a-z]{1,20}$/),
    }),
  },
);

Deno.test("Any order, duplication, reopening and torn write gives the right file in the end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), async (steps, atOnce) => {
      await inStore(async (first, root, reopen) => {
        let store = first;
        const given = (it: { first: number; count: number }) => ({
          first: it.first,
          lines: Array.from({ length: it.count }, (_, index) => `line ${it.first + index}`),
        });
        const asked: Promise<void>[] = [];
        for (const it of steps) {
          if (it.kind === "lines") {
            asked.push(store.append(KEY, ID, given(it)));
            if (!atOnce) await asked.at(-1);
          } else {
            await Promise.all(asked);
            // The old writer is never closed: it died, or does not know yet that it is no longer asked.
            store = await reopen();
            if (it.kind === "torn") {
              await Deno.mkdir(join(root, KEY), { recursive: true });
              await Deno.writeTextFile(join(root, KEY, ID), it.garbage, { append: true });
            }
          }
        }
        await Promise.all(asked);
        await store.append(KEY, ID, given({ first: 1, count: 52 }));
        const expected = Array.from({ length: 52 }, (_, index) => `line ${index + 1}\n`).join("");
        assert.equal(await text(root), expected);
      });
    }),
    { numRuns: 150 },
  );
});

Deno.test("Two writers at once, one of which is out of date, agree on every byte", () =>
  inStore(async (old, root, reopen) => {
    const fresh = await reopen();
    const all = Array.from({ length: 300 }, (_, index) => `line ${index + 1}`);
    await old.append(KEY, ID, lines(1, ...all.slice(0, 50)));
    await fresh.append(KEY, ID, lines(1, ...all.slice(0, 120)));
    await Promise.all([
      old.append(KEY, ID, lines(51, ...all.slice(50, 200))),
      fresh.append(KEY, ID, lines(121, ...all.slice(120, 260))),
    ]);
    await fresh.append(KEY, ID, lines(200, ...all.slice(199)));
    await old.append(KEY, ID, lines(250, ...all.slice(249)));
    assert.equal(await text(root), all.map((line) => `${line}\n`).join(""));
  }));
