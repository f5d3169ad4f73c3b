import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePattern } from "../../lib/projects/patterns.ts";

function matches(pattern: string, path: string): boolean {
  return compilePattern(pattern)(path.split("/"));
}

/** The rule as a regular expression, whose time nobody bounds: good for short paths only. */
function reference(pattern: string): RegExp {
  const parts = pattern.split("/");
  const texts = parts.map((part, index) => {
    if (part !== "**") return part.replaceAll("*", "[^/]*") + (parts.length > index + 1 ? "/" : "");
    if (parts.length > index + 1) return "(?:[^/]+/)*";
    return parts.every((it) => it === "**") ? "[^/]+/.+" : ".+";
  });
  return new RegExp(`^${texts.join("")}(?:/.*)?$`);
}

Deno.test("a pattern matches what its regular expression would", () => {
  const part = fc.constantFrom("a", "b", "ab", "*", "a*", "*b", "a*b", "*a*", "**");
  const name = fc.constantFrom("a", "b", "ab", "aab", "ba");
  const pattern = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
  const path = fc.array(name, { minLength: 1, maxLength: 6 }).map((names) => names.join("/"));
  fc.assert(
    fc.property(pattern, path, (pattern, path) => {
      assert.equal(matches(pattern, path), reference(pattern).test(path));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a slash at a pattern's end changes nothing", () => {
  assert.equal(matches("docs/", "docs/a.md"), true);
  assert.equal(matches("docs/", "docs2/a.md"), false);
});
