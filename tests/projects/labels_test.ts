import assert from "node:assert/strict";
import { type LabelRule, Projects } from "../../lib/config/project.ts";
import { labelChanges, wantedLabels } from "../../lib/projects/labels.ts";

const projects = Projects.parse([
  { name: "core", path: "core", build_system: "Make", labels: ["core", "c"] },
  { name: "ui", path: "ui", build_system: "Make", depends_on: ["core"], labels: ["interface"] },
]);
const rules: LabelRule[] = [
  { name: "documentation", paths: ["docs", "**/*.md"], titles: ["docs"] },
  { name: "bug", paths: [], titles: ["fix"] },
  { name: "ci", paths: [".github/workflows/*.yml", "ci/**"], titles: [] },
];

const table: [what: string, title: string, files: string[], labels: string[]][] = [
  ["nothing", "", [], []],
  ["a project's file", "", ["core/a.c"], ["c", "core"]],
  ["what only depends on it is not labelled", "", ["core/a.c"], ["c", "core"]],
  ["a title's scope", "feat(ui): b", [], ["interface"]],
  ["a title's type", "fix: b", [], ["bug"]],
  ["a type in another case", "Fix(nobody): b", [], ["bug"]],
  ["a title that only mentions it", "a fix", [], []],
  ["a path", "", ["docs/a/b.txt"], ["documentation"]],
  ["a path that is the file", "", ["docs"], ["documentation"]],
  ["a path that only begins alike", "", ["docs2/a.txt"], []],
  ["any folder", "", ["x/y/z.md"], ["documentation"]],
  ["no folder", "", ["z.md"], ["documentation"]],
  ["a dot is a dot", "", ["zxmd"], []],
  ["one folder", "", [".github/workflows/a.yml"], ["ci"]],
  ["one folder is not two", "", [".github/workflows/x/a.yml"], []],
  ["all below", "", ["ci/x/y"], ["ci"]],
  ["a submodule that a rule leads into", "", [".github/"], ["ci"]],
  ["a submodule that a rule leads to", "", ["ci/"], ["ci"]],
  ["a submodule below a rule's folder", "", ["docs/theme/"], ["documentation"]],
  ["a submodule elsewhere", "", ["vendor/x/"], []],
  ["a submodule with a project's files", "", ["core/"], ["c", "core"]],
  ["all at once", "fix(ui): b", ["core/a.md"], ["bug", "c", "core", "documentation", "interface"]],
];

for (const [what, title, files, labels] of table) {
  Deno.test(`labels for ${what}: ${labels.join(", ") || "none"}`, () => {
    assert.deepEqual(wantedLabels({ title, files, projects, rules }), labels);
  });
}

Deno.test("missing labels are added, stale ones of ours removed, people's left alone", () => {
  const changes = labelChanges({
    wanted: ["bug", "Core"],
    present: ["core", "docs", "important", "UI"],
    ours: ["docs", "ui", "gone"],
  });
  assert.deepEqual(changes, { add: ["bug"], remove: ["docs", "UI"] });
});

Deno.test("labels that are right are not touched", () => {
  const state = { wanted: ["a"], present: ["a", "b"], ours: ["a"] };
  assert.deepEqual(labelChanges(state), { add: [], remove: [] });
});

Deno.test("a path made to be matched for hours is matched at once", () => {
  const paths = ["**/*a*b*c*", "**/src/**/test/**/*.ts", "docs/*-*-*.md"];
  const files = [
    "a".repeat(40_000) + "b".repeat(40_000),
    "src/test/".repeat(4_000) + "y",
    `docs/${"-".repeat(80_000)}`,
  ];
  const hostile = [{ name: "never", paths, titles: [] }];
  assert.deepEqual(wantedLabels({ title: "", files, projects, rules: hostile }), []);
  files.push("x/src/y/test/z.ts");
  assert.deepEqual(wantedLabels({ title: "", files, projects, rules: hostile }), ["never"]);
});
