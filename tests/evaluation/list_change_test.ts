/** What an evaluation does about a branch that changes the project list. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Projects } from "../../lib/config/project.ts";
import type { BranchFacts } from "../../lib/evaluation/branch_facts.ts";
import { describeList } from "../../lib/evaluation/list_wording.ts";
import { type EvaluationFacts, planEvaluation } from "../../lib/evaluation/plan.ts";
import { describePlan, stateOf } from "../../lib/evaluation/wording.ts";
import type { ProjectList } from "../../lib/projects/projects.ts";
import { branch, facts, list, make } from "./plan_rows.ts";

const [core, ui, arm, win, never] = list.projects;
const [fresh] = Projects.parse([{ name: "new", path: "new", ...make }]);
const faster = { ...core!, build_args: ["-j9"] };

function listOf(...projects: (typeof core)[]): ProjectList {
  return { kind: "list", projects: projects.map((it) => it!), labels: [] };
}

interface Change {
  readonly list?: ProjectList;
  readonly mistakes?: string[];
  readonly branch?: Partial<BranchFacts>;
  readonly facts?: Partial<EvaluationFacts>;
}

function evaluated(change: Change) {
  const { list: merged = list, mistakes = [] } = change;
  const all = {
    ...facts,
    ...change.facts,
    branch: {
      ...branch,
      files: [".tickborg.json"],
      merged: { changed: true, list: merged, mistakes },
      ...change.branch,
    },
  };
  const plan = planEvaluation(all);
  const place = { target: "main", handle: "@tickbot" };
  const says = describePlan(plan, { ...place, maxProjects: 2, branch: all.branch, unserved: [] });
  assert.ok(says.length <= 140, says);
  return {
    plan,
    says: `${stateOf(plan.outcome)}: ${says}`,
    builds: plan.builds.map((it) => `${it.project} ${it.system} ${it.definition ?? "base"}`),
    lines: describeList(plan, place),
  };
}

const stranger = { facts: { trusted: false } };
const more = listOf(core, ui, arm, win, never, fresh);

Deno.test("a stranger's new project is shown, and not built before the merge", () => {
  const { says, builds, lines } = evaluated({ ...stranger, list: more });
  assert.equal(
    says,
    "success: No project is touched (1 file outside of every project); " +
      "takes effect after the merge: new",
  );
  assert.deepEqual(builds, []);
  assert.deepEqual(lines, [
    "Takes effect after the merge: `new` (new).",
    "",
    "The builds here use the current list. A trusted person may comment `@tickbot eval` or " +
    "`@tickbot build new` to build the new definitions.",
  ]);
});

Deno.test("a stranger's changed project is built as the base defines it", () => {
  const { says, builds } = evaluated({
    ...stranger,
    list: listOf(faster, ui, arm, win, never),
    branch: { files: [".tickborg.json", "core/a.c"] },
  });
  assert.equal(
    says,
    "success: Building core, ui on x86_64-linux; takes effect after the merge: core",
  );
  assert.deepEqual(builds, ["core x86_64-linux base", "ui x86_64-linux base"]);
});

Deno.test("a trusted person's new and changed projects are built as the merged list defines them", () => {
  const added = evaluated({ list: more });
  assert.equal(
    added.says,
    "success: Building new on x86_64-linux, aarch64-linux; by the new definition: new",
  );
  assert.deepEqual(added.builds, ["new x86_64-linux merged", "new aarch64-linux merged"]);
  assert.match(added.lines.join("\n"), /Built here with the changed definitions: `new`\.$/);
  const changed = evaluated({ list: listOf(faster, ui, arm, win, never) });
  assert.deepEqual(changed.plan.touched.map(({ project, because }) => [project, because]), [
    [faster, "definition"],
    [ui, "dependency"],
  ]);
  assert.deepEqual(changed.builds, [
    "core x86_64-linux merged",
    "core aarch64-linux merged",
    "ui x86_64-linux base",
    "ui aarch64-linux base",
  ]);
});

Deno.test("what says nothing about a build has nothing built", () => {
  const labelled = listOf({ ...core!, labels: ["x"] }, { ...ui!, depends_on: [] }, arm, win, never);
  const { says, builds } = evaluated({ list: labelled });
  assert.deepEqual(builds, []);
  assert.match(says, /^success: .*; takes effect after the merge: core, ui$/);
});

Deno.test("a project that is taken out of the list is still built where its files change", () => {
  const { builds, lines } = evaluated({
    list: listOf(ui, arm, win, never),
    branch: { files: [".tickborg.json", "core/a.c"] },
  });
  const own = builds.filter((build) => build.startsWith("core "));
  assert.deepEqual(own, ["core x86_64-linux base", "core aarch64-linux base"]);
  assert.match(lines[0]!, /`core` \(removed\)/);
});

const mistakes = ["line 3, column 5, project new: the path nwe is not in the repository", "b"];

Deno.test("a mistake is red, whatever else is built, and nothing goes by a list that has one", () => {
  const { says, builds, lines } = evaluated({
    list: more,
    mistakes,
    branch: { files: [".tickborg.json", "core/a.c"] },
  });
  assert.equal(says, `failure: 2 mistakes in .tickborg.json: ${mistakes[0]}`);
  assert.equal(builds.length, 4);
  assert.ok(builds.every((build) => build.endsWith("base")), builds.join());
  assert.deepEqual(lines.slice(0, 4), [
    "`.tickborg.json` has 2 mistakes with this change:",
    "",
    `- \`${mistakes[0]}\``,
    "- `b`",
  ]);
});

Deno.test("a mistake is red in a draft too, of which nothing is built", () => {
  const { says, builds } = evaluated({
    mistakes,
    branch: { files: ["core/a.c"] },
    facts: { draft: true },
  });
  assert.match(says, /^failure: 2 mistakes/);
  assert.deepEqual(builds, []);
});

const unlisted: [what: string, list: ProjectList][] = [
  ["brings the first list", { kind: "missing" }],
  ["mends a list that cannot be read", { kind: "invalid", reason: "not JSON" }],
];
for (const [what, before] of unlisted) {
  Deno.test(`a branch that ${what} is validated, and not red for what it mends`, () => {
    const first = { list: listOf(fresh), branch: { list: before } };
    const trusted = evaluated(first);
    assert.deepEqual(trusted.builds, ["new x86_64-linux merged", "new aarch64-linux merged"]);
    assert.match(trusted.says, /^success: Building new on/);
    const foreign = evaluated({ ...first, ...stranger });
    assert.deepEqual(foreign.builds, []);
    assert.equal(
      foreign.says,
      "success: Nothing to build with the list on main; takes effect after the merge: new",
    );
    assert.match(evaluated({ ...first, mistakes }).says, /^failure: 2 mistakes/);
  });
}

Deno.test("mistakes that are merged already are told, and are nobody's fault", () => {
  const { says, lines } = evaluated({
    branch: { files: ["core/a.c"], merged: undefined as never, oldMistakes: ["x `y` [z](u)"] },
  });
  assert.equal(
    says,
    "success: Building core, ui on x86_64-linux, aarch64-linux; .tickborg.json on main has a mistake",
  );
  assert.deepEqual(lines, [
    "`.tickborg.json` on `main` already has a mistake, not from this change:",
    "",
    "- ``x `y` [z](u)``",
  ]);
});

Deno.test("whatever a stranger's list says, what is built is what the base alone would have built", () => {
  const name = fc.constantFrom("core", "ui", "arm", "win", "never", "new", "evil");
  const entry = fc.record({
    name,
    path: fc.constantFrom("core", "ui", ".", "new"),
    build_system: fc.constantFrom("Make", "CMake"),
    systems: fc.constantFrom(undefined, [], ["x86_64-linux"]),
  });
  const merged = fc.uniqueArray(entry, { selector: (it) => it.name });
  const files = fc.subarray(["core/a", "ui/a", "arm/a", "new/a", ".tickborg.json"]);
  fc.assert(fc.property(merged, files, fc.boolean(), (projects, files, asked) => {
    const people = { trusted: false, asked };
    const change = { list: listOf(...Projects.parse(projects)), branch: { files }, facts: people };
    const { plan, builds } = evaluated(change);
    const alone = evaluated({ branch: { files, merged: undefined as never }, facts: people });
    assert.deepEqual(builds, alone.builds);
    assert.equal(plan.outcome, alone.plan.outcome);
  }));
});
