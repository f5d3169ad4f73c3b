import assert from "node:assert/strict";
import fc from "fast-check";
import type { Project } from "../../lib/config/config.ts";
import { Projects } from "../../lib/config/project.ts";
import {
  parseConventional,
  readProjectList,
  scopesOf,
  type TouchedProject,
  touchedProjects,
} from "../../lib/projects/projects.ts";

function project(name: string, path: string, depends_on: string[] = []) {
  return { name, path, build_system: "Make", depends_on };
}

const projects: Project[] = Projects.parse([
  project("core", "libs/core"),
  project("ui", "apps/ui", ["core"]),
  project("plugin", "apps/ui/plugins/map"),
  project("suite", "apps/suite", ["ui"]),
  project("twin", "libs/core"),
]);

function told(touched: readonly TouchedProject[]): string[] {
  return touched.map(({ project, because, via }) =>
    `${project.name}: ${because}${via ? ` ${via}` : ""}`
  );
}

const table: [
  what: string,
  change: { files?: string[]; subjects?: string[] },
  expected: string[],
][] = [
  ["nothing", {}, []],
  ["a file of one", { files: ["apps/suite/a.c"] }, ["suite: files"]],
  ["a file of two at one path, and what depends on it", { files: ["libs/core/a/b.c"] }, [
    "core: files",
    "ui: dependency core",
    "suite: dependency ui",
    "twin: files",
  ]],
  ["a submodule in one", { files: ["apps/suite/vendor/"] }, ["suite: files"]],
  ["a submodule that holds some, one in another", { files: ["apps/"] }, [
    "ui: files",
    "plugin: files",
    "suite: files",
  ]],
  ["a submodule that holds one and lies in another", { files: ["apps/ui/plugins/"] }, [
    "ui: files",
    "plugin: files",
    "suite: dependency ui",
  ]],
  ["a submodule whose name only begins alike", { files: ["apps/sui/"] }, []],
  ["a file of the inner of two nested ones", { files: ["apps/ui/plugins/map/a.c"] }, [
    "plugin: files",
  ]],
  ["a file of the outer of two nested ones", { files: ["apps/ui/plugins/x.c"] }, [
    "ui: files",
    "suite: dependency ui",
  ]],
  ["a submodule at a project's place", { files: ["apps/suite"] }, ["suite: files"]],
  ["a file whose folder's name only begins alike", { files: ["apps/suite2/a.c"] }, []],
  ["a file in the root", { files: ["CMakeLists.txt"] }, []],
  ["a scope", { subjects: ["fix(suite): b"] }, ["suite: scope"]],
  ["a scope in another case", { subjects: ["fix(Suite): b"] }, ["suite: scope"]],
  ["several scopes", { subjects: ["fix(suite, plugin)!: b"] }, ["plugin: scope", "suite: scope"]],
  ["a scope that nobody knows", { subjects: ["feat(engine): b"] }, []],
  ["a subject without a scope", { subjects: ["suite is better", "fix: suite"] }, []],
  ["a file and a scope", { files: ["apps/suite/a"], subjects: ["fix(suite): b"] }, [
    "suite: files",
  ]],
];

for (const [what, { files = [], subjects = [] }, expected] of table) {
  Deno.test(`touching ${what}`, () => {
    assert.deepEqual(told(touchedProjects({ files, subjects }, projects).projects), expected);
  });
}

Deno.test("a project at . owns what no other does", () => {
  const all = Projects.parse([project("root", "."), project("core", "core")]);
  const touched = touchedProjects({ files: ["README.md", "core/a.c"], subjects: [] }, all);
  assert.deepEqual(told(touched.projects), ["root: files", "core: files"]);
  assert.equal(touched.outside, 0);
});

Deno.test("files outside of every project are counted", () => {
  const change = { files: ["README.md", "cmake/x.cmake", "libs/core/a.c"], subjects: [] };
  assert.equal(touchedProjects(change, projects).outside, 2);
});

Deno.test("dependencies in a circle end", () => {
  const circle = Projects.parse([
    project("a", "a", ["c"]),
    project("b", "b", ["a"]),
    project("c", "c", ["b", "c"]),
  ]);
  const touched = touchedProjects({ files: ["a/x"], subjects: [] }, circle);
  assert.deepEqual(told(touched.projects), ["a: files", "b: dependency a", "c: dependency b"]);
});

Deno.test("whatever is touched, everything that depends on it is too", () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const lists = fc.tuple(...names.map(() => fc.uniqueArray(fc.constantFrom(...names)))).map((
    deps,
  ) => Projects.parse(names.map((name, index) => project(name, name, deps[index]))));
  fc.assert(fc.property(lists, fc.subarray(names), (list, changed) => {
    const change = { files: changed.map((name) => `${name}/x`), subjects: [] };
    const touched = new Set(touchedProjects(change, list).projects.map((it) => it.project.name));
    for (const { name, depends_on } of list) {
      const reached = depends_on.some((dependency) => touched.has(dependency));
      assert.equal(touched.has(name), changed.includes(name) || reached);
    }
  }));
});

Deno.test("a title is parted into type and scopes", () => {
  assert.deepEqual(parseConventional("feat(a|b)!: c"), { type: "feat", scopes: ["a", "b"] });
  assert.deepEqual(parseConventional("fix: c"), { type: "fix", scopes: [] });
  assert.equal(parseConventional("fix (a): c"), undefined);
  assert.equal(parseConventional("about(this"), undefined);
  assert.deepEqual(scopesOf("x(__proto__): y"), ["__proto__"]);
  assert.deepEqual(
    touchedProjects({ files: [], subjects: ["x(__proto__): y"] }, projects).projects,
    [],
  );
});

function bytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

Deno.test("the list is the file's, in both its forms, else the configuration's", () => {
  const fallback = Projects.parse([project("configured", "c")]);
  const own = [project("own", "o")];
  const named = (list: ReturnType<typeof readProjectList>) =>
    list.kind === "list" ? list.projects.map(({ name }) => name) : list;
  assert.deepEqual(named(readProjectList(bytes(own), fallback)), ["own"]);
  assert.deepEqual(named(readProjectList(bytes({ projects: own }), fallback)), ["own"]);
  assert.deepEqual(named(readProjectList(bytes([]), fallback)), []);
  assert.deepEqual(named(readProjectList(undefined, fallback)), ["configured"]);
  assert.deepEqual(readProjectList(undefined, undefined), { kind: "missing" });
});

Deno.test("a project says whether it is tested, else its list says so for all", () => {
  const tested = (content: unknown) => {
    const list = readProjectList(bytes(content), undefined);
    return list.kind === "list" ? list.projects.map(({ test }) => test) : list;
  };
  const own = [{ ...project("a", "a"), test: true }, { ...project("b", "b"), test: false }];
  const projects = [...own, project("c", "c")];
  assert.deepEqual(tested(projects), [true, false, undefined]);
  assert.deepEqual(tested({ projects }), [true, false, undefined]);
  assert.deepEqual(tested({ test: true, projects }), [true, false, true]);
  assert.deepEqual(tested({ test: false, projects }), [true, false, false]);
  assert.equal(readProjectList(bytes({ test: "yes", projects }), undefined).kind, "invalid");
});

Deno.test("a list that cannot be read says where it is wrong, and never falls back", () => {
  const fallback = Projects.parse([project("configured", "c")]);
  const wrong: [unknown, RegExp][] = [
    ["{", /^line 1, column 2: not JSON: expected a closing \}/],
    ["\ufffe\ud800", /not JSON/],
    [5, /^line 1, column 1: the file: /],
    [
      { projects: [{ ...project("a", "a"), path: "../up" }] },
      /^line 1, column \d+, project a: projects\[0\]\.path: /,
    ],
    [{ projects: [project("a", "a"), project("a", "b")] }, /projects\[1\]\.name: duplicate name a/],
    [[project("a", "a", ["b"])], /\[0\]\.depends_on\[0\]: no project is named b/],
    [{ projects: [], labels: [{ nam: "x" }] }, /label(s\[0\])?/],
    [{ project: [] }, /projects|file/],
  ];
  for (const [content, reason] of wrong) {
    const list = readProjectList(bytes(content), fallback);
    assert.equal(list.kind, "invalid", JSON.stringify(content));
    if (list.kind === "invalid") assert.match(list.reason, reason);
  }
});

Deno.test("every mistake of a list is told whole, with what was found and what is allowed", () => {
  const mistakes = (content: unknown) => {
    const file = content instanceof Uint8Array ? content : bytes(content);
    const list = readProjectList(file, undefined);
    assert.equal(list.kind, "invalid", JSON.stringify(content));
    return list.kind === "invalid" ? list.mistakes?.() ?? [list.reason] : [];
  };
  const wrong = { ...project("a", "../up"), build_sistem: "Make" };
  const [path, key, twice, unknown] = mistakes([wrong, project("a", "b", ["c"])]);
  assert.match(
    path!,
    /^line 1, column 21, project a: \[0\]\.path: expected a relative path .*; found "\.\.\/up"$/,
  );
  assert.match(
    key!,
    /^line 1, column \d+, project a: \[0\]\.build_sistem: no such key; allowed: name, path, build_/,
  );
  assert.match(twice!, /^line 1, column \d+, project a: \[1\]\.name: duplicate name a; found "a"$/);
  assert.match(unknown!, /project a: \[1\]\.depends_on\[0\]: no project is named c; found "c"$/);
  const misnamed = '{"labels":\r\n  [{"name": "x",\r\n    "path": []}],\r\n "project": []}';
  assert.deepEqual(mistakes(misnamed), [
    "line 1, column 1: projects: missing; expected array",
    "line 3, column 13, label x: labels[0].path: no such key; allowed: name, paths, titles",
    "line 4, column 13: project: no such key; allowed: projects, test, labels",
  ]);
  assert.deepEqual(mistakes(new Uint8Array([0xff])), ["not UTF-8"]);
});

Deno.test("a path a million folders deep is looked at no deeper than projects lie", () => {
  const files = [`apps/ui/${"a/".repeat(1_000_000)}x`, `${"a/".repeat(1_000_000)}x`];
  const touched = touchedProjects({ files, subjects: [] }, projects);
  assert.deepEqual(told(touched.projects), ["ui: files", "suite: dependency ui"]);
  assert.equal(touched.outside, 1);
});
