import assert from "node:assert/strict";
import { Projects } from "../../lib/config/project.ts";
import type { BranchFacts } from "../../lib/evaluation/branch_facts.ts";
import { planEvaluation } from "../../lib/evaluation/plan.ts";
import { describePlan, stateOf } from "../../lib/evaluation/wording.ts";
import { branch, facts, list, make, table } from "./plan_rows.ts";

for (const row of table) {
  Deno.test(`an evaluation of ${row.what} is ${row.state}`, () => {
    const all = { ...facts, ...row.facts, branch: { ...branch, ...row.branch } };
    const plan = planEvaluation(all);
    assert.equal(plan.outcome, row.outcome);
    assert.equal(stateOf(plan.outcome), row.state);
    assert.deepEqual(plan.builds.map((it) => `${it.project} ${it.system}`), row.builds ?? []);
    const says = describePlan(plan, {
      target: "main",
      handle: "@tickbot",
      maxProjects: 2,
      branch: all.branch,
      unserved: [],
    });
    assert.equal(says, row.says);
    assert.ok(says.length <= 140);
  });
}

Deno.test("green is shown only where all that should be built is, or nothing should be", () => {
  for (const row of table) {
    const all = { ...facts, ...row.facts, branch: { ...branch, ...row.branch } };
    const plan = planEvaluation(all);
    if (stateOf(plan.outcome) !== "success") continue;
    const built = new Set(plan.builds.map(({ project }) => project));
    const expected = plan.touched.map(({ project }) => project.name)
      .filter((name) => !plan.leftOut.includes(name));
    assert.deepEqual([...built], expected, row.what);
  }
});

Deno.test("labels are decided even where nothing is built, but not where files are unknown", () => {
  const labelled = {
    ...list,
    projects: Projects.parse([{ name: "core", path: "core", ...make, labels: ["core"] }]),
  };
  const of = (change: Partial<BranchFacts>) =>
    planEvaluation({ ...facts, draft: true, branch: { ...branch, list: labelled, ...change } })
      .labels;
  assert.deepEqual(of({}), ["core"]);
  assert.deepEqual(of({ merge: { kind: "conflict", paths: [] } }), ["core"]);
  assert.equal(of({ files: undefined }), undefined);
  assert.equal(of({ list: { kind: "missing" } }), undefined);
});
