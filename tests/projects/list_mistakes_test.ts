/** Mistakes of a list that its schema cannot see: told, with their places. */
import assert from "node:assert/strict";
import { readProjectList, usableList } from "../../lib/projects/projects.ts";
import { growth } from "../support/cost.ts";

function read(content: unknown) {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return readProjectList(new TextEncoder().encode(text), undefined);
}

function mistakes(content: unknown): string[] {
  const list = read(content);
  return list.kind === "invalid" ? list.mistakes?.() ?? [list.reason] : [];
}

function project(name: string, path = name, more: Record<string, unknown> = {}) {
  return { name, path, build_system: "Make", ...more };
}

const rule = (paths: string[], name = "docs") => ({ projects: [], labels: [{ name, paths }] });

const wrong: [what: string, content: unknown, told: RegExp[]][] = [
  ["names that differ in case alone", [project("core", "a"), project("Core", "b")], [
    /^line 1, column \d+, project Core: the name Core differs from core in case alone$/,
  ]],
  ["one path twice", [project("a", "x"), project("b", "x")], [/b: the path x is that of a too$/]],
  ["the root twice", [project("a", "."), project("b", ".")], [/b: the path \. is that of a too$/]],
  ["paths that differ in case alone", [project("a", "lib/x"), project("b", "Lib/X")], [
    /project b: the path Lib\/X differs from lib\/x in case alone$/,
  ]],
  ["a project that needs itself", [project("a", "a", { depends_on: ["a"] })], [
    /project a: a depends on itself$/,
  ]],
  ["a cycle of two", [
    project("a", "a", { depends_on: ["b"] }),
    project("b", "b", { depends_on: ["a"] }),
  ], [/project a: a dependency cycle: a → b → a$/]],
  ["a cycle, and what hangs on it", [
    project("top", "top", { depends_on: ["a"] }),
    project("a", "a", { depends_on: ["leaf", "b"] }),
    project("b", "b", { depends_on: ["c"] }),
    project("c", "c", { depends_on: ["a"] }),
    project("leaf"),
  ], [/project a: a dependency cycle: a → b → c → a$/]],
  ["two cycles", [
    project("a", "a", { depends_on: ["b"] }),
    project("b", "b", { depends_on: ["a"] }),
    project("c", "c", { depends_on: ["d"] }),
    project("d", "d", { depends_on: ["c"] }),
  ], [/a → b → a$/, /c → d → c$/]],
  ["what is named twice", [
    project("a", "a", { depends_on: ["b", "b"], labels: ["x", "x"] }),
    project("b", "b", { systems: ["x86_64-linux", "x86_64-linux"] }),
  ], [/depends_on names b twice$/, /labels names x twice$/, /systems names x86_64-linux twice$/]],
  ["two rules for one label", {
    projects: [],
    labels: [{ name: "Docs", paths: ["a"] }, { name: "docs", paths: ["b"] }],
  }, [/label docs: the label docs has a rule already/]],
  ["a rule of nothing", rule([]), [/label docs: docs has neither paths nor titles$/]],
  ["a pattern twice", rule(["a", "a"]), [/the pattern "a" stands twice$/]],
  ["a title that no title says", { projects: [], labels: [{ name: "x", titles: ["a b"] }] }, [
    /label x: "a b" is no type or scope of a title/,
  ]],
  ["more patterns than are looked at", {
    projects: [],
    labels: Array.from({ length: 26 }, (_, index) => ({
      name: `l${index}`,
      paths: Array.from({ length: 200 }, (_, position) => `!${position}`),
    })),
  }, [/: labels: 5200 patterns, at most 5000$/]],
  ["a key twice", '{"projects": [],\n "projects": []}', [
    /^line 2, column 2: the key projects stands twice$/,
  ]],
  ["a project's key twice", '[{"name":"a","path":"a",\n"path":"b","build_system":"Make"}]', [
    /^line 2, column 1, project a: the key path stands twice$/,
  ]],
];

for (const [what, content, told] of wrong) {
  Deno.test(`a list with ${what} is told so`, () => {
    const found = mistakes(content);
    assert.equal(found.length, told.length, found.join("\n"));
    told.forEach((pattern, index) => assert.match(found[index]!, pattern));
  });
}

Deno.test("a list in which nothing is wrong is read, however it hangs together", () => {
  const diamond = [
    project("a", "a", { depends_on: ["b", "c"] }),
    project("b", "b", { depends_on: ["d"] }),
    project("c", "c", { depends_on: ["d"] }),
    project("d", "a/d"),
    project("root", "."),
  ];
  assert.deepEqual(mistakes(diamond), []);
  assert.deepEqual(mistakes({ projects: diamond, labels: [{ name: "x", titles: ["fix"] }] }), []);
});

Deno.test("what is wrong with a list that is merged already stops nobody who has nothing to do with it", () => {
  const list = usableList(read([project("a", "x"), project("b", "x")]));
  assert.equal(list.kind, "list");
  assert.equal(usableList(read([project("a", "../x")])).kind, "invalid", "its form is wrong");
  assert.equal(usableList(read("{")).kind, "invalid");
});

const syntax: [what: string, text: string, told: RegExp][] = [
  [
    "a comma after the last key",
    '{\n "projects": [],\n}',
    /^line 2, column 16: not JSON: a comma wit/,
  ],
  [
    "a comma after the last item",
    "[1,\r\n 2,\r\n]",
    /^line 2, column 3: not JSON: a comma with nothing/,
  ],
  [
    "a comment",
    "[\n // all\n]",
    /^line 2, column 2: not JSON: a comment, which JSON does not have$/,
  ],
  ["single quotes", "{'a': 1}", /^line 1, column 2: not JSON: .* double quotes$/],
  ["a missing comma", '[{"a": 1}\n{"b": 2}]', /^line 2, column 1: not JSON: expected a comma$/],
  ["an open end", '{"a": [1', /^line 1, column \d+: not JSON: expected a closing \]$/],
  ["nothing", "", /^line 1, column 1: not JSON: expected a value$/],
  ["more than one value", "[] []", /^line 1, column 4: not JSON: /],
];
for (const [what, text, told] of syntax) {
  Deno.test(`a list with ${what} is told in plain words, with its place`, () => {
    assert.match(mistakes(text).join(), told);
  });
}

Deno.test("a byte order mark and line ends of Windows are no mistakes, and places stay right", () => {
  const good = `\ufeff${JSON.stringify([project("a")], null, 2).replaceAll("\n", "\r\n")}\r\n`;
  assert.equal(read(good).kind, "list");
  const bad = '\ufeff[\r\n  {"name": "a",\r\n   "path": "/a", "build_system": "Make"}\r\n]';
  assert.match(mistakes(bad).join(), /^line 3, column 12, project a: \[0\]\.path: /);
});

Deno.test("hostile lists say little", () => {
  assert.match(mistakes("[".repeat(1_000_000)).join(), /not JSON/);
  assert.equal(read(`${"[".repeat(50_000)}${"]".repeat(50_000)}`).kind, "invalid");
  const unknown = Object.fromEntries(
    Array.from({ length: 100_000 }, (_, index) => [`k${index}`, 1]),
  );
  const many = mistakes({ projects: [], ...unknown });
  assert.equal(many.length, 101);
  assert.equal(many.at(-1), "and 99900 more");
  const [loud] = mistakes([project("a", "/\u001b[31m\u202e\n" + "x".repeat(5_000))]);
  assert.match(loud!, /^[\x20-\x7e…]{1,600}$/);
});

/** Lists that were made to keep a reader busy; each says a part of what is wrong. */
const HOSTILE: Readonly<Record<string, readonly [(size: number) => unknown, RegExp]>> = {
  "open brackets": [(size) => "[".repeat(size), /not JSON/],
  "brackets in brackets": [(size) => `${"[".repeat(size / 2)}${"]".repeat(size / 2)}`, /./],
  "unknown keys": [
    (size) => ({
      projects: [],
      ...Object.fromEntries(Array.from({ length: size / 10 }, (_, index) => [`k${index}`, 1])),
    }),
    /and \d+ more$/,
  ],
  "projects that all depend on each other": [
    (size) => {
      const length = size / 100;
      const depends_on = (index: number) =>
        Array.from({ length: 100 }, (_, step) => `p${(index + step + 1) % length}`);
      return Array.from(
        { length },
        (_, index) => project(`p${index}`, `p${index}`, { depends_on: depends_on(index) }),
      );
    },
    /a dependency cycle: p0 → p1 → .*… → p0$/,
  ],
};

for (const [what, [make, says]] of Object.entries(HOSTILE)) {
  Deno.test(`a list of many ${what} costs what it is long`, async () => {
    const times = await growth(50_000, (size) => {
      assert.match(mistakes(make(size)).join(), says);
    });
    assert.ok(times < 9, `four times the size costs ${times.toFixed(1)} times as much`);
  });
}
