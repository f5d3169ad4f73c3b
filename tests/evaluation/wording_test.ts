import assert from "node:assert/strict";
import { withList } from "../../lib/evaluation/wording.ts";

Deno.test("a list is cut to what a description holds, and says how many are left", () => {
  const names = Array.from({ length: 100 }, (_, index) => `project-${index}`);
  const text = withList("Building ", names, " on x86_64-linux");
  assert.ok(text.length <= 140);
  assert.match(text, /^Building project-0, .* and 9\d more on x86_64-linux$/);
  const many = Array.from({ length: 200_000 }, (_, index) => `folder/file-${index}.c`);
  const since = performance.now();
  const conflicts = withList("Conflicts with main in ", many, "; merge, then push");
  assert.match(conflicts, / and 1999\d\d more; merge, then push$/);
  assert.ok(performance.now() - since < 1_000, "its time does not grow with the list");
  const [long] = ["x".repeat(500)];
  assert.ok(withList("Conflicts with main in ", [long!], "; merge").length <= 140);
});
