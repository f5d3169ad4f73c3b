import assert from "node:assert/strict";
import { growth } from "../support/cost.ts";
import { withList } from "../../lib/evaluation/wording.ts";

Deno.test("a list is cut to what a description holds, and says how many are left", () => {
  const names = Array.from({ length: 100 }, (_, index) => `project-${index}`);
  const text = withList("Building ", names, " on x86_64-linux");
  assert.ok(text.length <= 140);
  assert.match(text, /^Building project-0, .* and 9\d more on x86_64-linux$/);
  const many = Array.from({ length: 200_000 }, (_, index) => `folder/file-${index}.c`);
  const conflicts = withList("Conflicts with main in ", many, "; merge, then push");
  assert.match(conflicts, / and 1999\d\d more; merge, then push$/);
  const [long] = ["x".repeat(500)];
  assert.ok(withList("Conflicts with main in ", [long!], "; merge").length <= 140);
});

Deno.test("the cost of a list in a description does not grow with the list", async () => {
  const lists = new Map(
    [50_000, 200_000].map((size) =>
      [size, Array.from({ length: size }, (_, index) => `folder/file-${index}.c`)] as const
    ),
  );
  const times = await growth(50_000, (size) => {
    for (let round = 0; round < 300; round++) withList("Conflicts in ", lists.get(size)!, "; push");
    return Promise.resolve();
  });
  assert.ok(times < 3, `four times the list cost ${times.toFixed(1)} times as much`);
});
