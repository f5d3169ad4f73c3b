import assert from "node:assert/strict";
import fc from "fast-check";
import { compilePatterns, fixedPaths, patternMistake } from "../../lib/projects/patterns.ts";
import { growth } from "../support/cost.ts";

/** Linear is 4, quadratic 16, a power of three 64. */
const QUADRATIC = 32;

function matches(pattern: string, path: string): boolean {
  return compilePatterns([pattern])(path.split("/"));
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

const understood: [pattern: string, path: string, matches: boolean][] = [
  ["/docs/", "docs/a.md", true],
  ["/docs/", "a/docs/a.md", false],
  ["./docs/**", "docs/a.md", true],
  ["docs//a", "docs/a", true],
  ["docs/?.md", "docs/a.md", true],
  ["docs/?.md", "docs/ab.md", false],
  ["docs/[ab].md", "docs/b.md", true],
  ["docs/[ab].md", "docs/c.md", false],
  ["docs/[!a-c]*.md", "docs/xyz.md", true],
  ["docs/[!a-c]*.md", "docs/bxy.md", false],
  ["v[0-9]*[0-9]", "v12", true],
  ["app/[id]/page.tsx", "app/[id]/page.tsx", true],
  ["[x", "[x", true],
  ["{docs,wiki}/**", "wiki/a.md", true],
  ["{docs,wiki}/**", "doc/a.md", false],
  ["docs/**/*.{md,rst}", "docs/a/b.rst", true],
  ["docs/**/*.{md,rst}", "docs/a/b.txt", false],
  ["a{,b}/c", "a/c", true],
  ["a{,b}/c", "ab/c", true],
  ["{a}", "{a}", true],
  ["**.md", "a/b.md", true],
  ["**.md", "b.md", true],
  ["docs/**.md", "docs/a/b.md", true],
  ["docs/**.md", "a/docs/b.md", false],
  ["Docs", "docs/a", false],
  ["app/[post-id]", "app/[post-id]/a", true],
];
for (const [pattern, path, wanted] of understood) {
  Deno.test(`the pattern ${pattern} ${wanted ? "matches" : "does not match"} ${path}`, () => {
    assert.equal(patternMistake(pattern), undefined);
    assert.equal(matches(pattern, path), wanted);
  });
}

const refused: [pattern: string, told: RegExp][] = [
  ["!docs/**", /begins with `!`/],
  ["docs\\a.md", /has a backslash/],
  [" docs", /blank/],
  ["docs/ ", /blank/],
  ["../docs", /has `\.\.`/],
  ["docs/../x", /has `\.\.`/],
  ["/", /names no path/],
  ["./", /names no path/],
  ["docs**", /has `\*\*` inside a name/],
  ["{a,{b,c}}", /braces inside braces/],
  ["docs/[[:alpha:]]*", /has `\[:` inside brackets/],
  ["docs/[^[:digit:]]", /has `\[:` inside brackets/],
  ["{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", /more than 64 patterns/],
];
for (const [pattern, told] of refused) {
  Deno.test(`the pattern ${pattern} is refused by name, and matches nothing`, () => {
    assert.match(patternMistake(pattern) ?? "", told);
    for (const path of ["docs/a.md", "a", "!docs/a", "docs\\a.md"]) {
      assert.equal(matches(pattern, path), false);
    }
  });
}

Deno.test("what a pattern needs in the tree is what stands before its first wildcard", () => {
  assert.deepEqual(fixedPaths("/docs/a.md"), ["docs/a.md"]);
  assert.deepEqual(fixedPaths("docs/*/a"), ["docs"]);
  assert.deepEqual(fixedPaths("**/*.md"), [""]);
  assert.deepEqual(fixedPaths("{docs,wiki/x}/**"), ["docs", "wiki/x"]);
});

/** A pattern of so many characters, about. */
const SLOW: Readonly<Record<string, (size: number) => string>> = {
  "wildcards in a name": (size) => `${"*a".repeat(size / 2)}b`,
  "wildcards and classes": (size) => `${"*[ab]?".repeat(size / 6)}c`,
  "wildcards between names": (size) => `${"**/a/".repeat(size / 5)}b`,
};
for (const [what, make] of Object.entries(SLOW)) {
  Deno.test(`a pattern of many ${what} costs at most pattern times name to match`, async () => {
    const times = await growth(250, (size) => {
      const match = compilePatterns([make(size)]);
      const name = "a".repeat(4 * size);
      for (let round = 0; round < 200; round++) assert.equal(match([name, name]), false);
    });
    assert.ok(times < QUADRATIC, `four times the size costs ${times.toFixed(1)} times as much`);
  });
}

Deno.test("a pattern of many braces or choices costs little to refuse", async () => {
  const braces = (size: number) => "{".repeat(size);
  const choices = (size: number) => `{${",".repeat(size)}}${"{a,b}".repeat(4)}`;
  for (const make of [braces, choices]) {
    const times = await growth(250, (size) => {
      for (let round = 0; round < 200; round++) patternMistake(make(size));
    });
    assert.ok(times < QUADRATIC, `four times the size costs ${times.toFixed(1)} times as much`);
  }
});

Deno.test("a file costs as much however many patterns a label has", async () => {
  const times = await growth(50, (size) => {
    const patterns = Array.from({ length: size }, (_, index) => `d${index}/{a,b,c,d}/*.[ch]`);
    const match = compilePatterns([...patterns, "**/x?.{md,rst}"]);
    for (let file = 0; file < 50_000; file++) {
      assert.equal(match(["src", `mod${file % 100}`, `f${file}.c`]), false);
    }
    assert.equal(match(["d7", "c", "f.h"]), true);
    assert.equal(match(["src", "xy.rst"]), true);
  });
  assert.ok(times < 2.5, `four times the patterns cost ${times.toFixed(1)} times as much`);
});
