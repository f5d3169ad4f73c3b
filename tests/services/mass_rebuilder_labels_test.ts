import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { MAX_TRIES } from "../../lib/runtime/retry.ts";
import { builds, cancellations } from "../support/published.ts";
import { files, harness, projects } from "./mass_rebuilder_harness.ts";

Deno.test("stale labels of ours go, people's stay", async () => {
  await using at = await harness();
  const pull = await at.open({ "core/a.c": "b\n" });
  await at.deliver(at.job(pull));
  await at.repository.addLabel(pull.number, "interface");
  await at.repository.addLabel(pull.number, "important");
  assert.deepEqual(at.repository.labels(pull.number), ["core", "interface", "important"]);
  const sha = await at.monorepo.commit("change-1", { "core/a.c": "a\n", "docs/a.md": "b\n" });
  await at.repository.pushHead(pull.number, sha);
  await at.deliver(at.job(pull));
  assert.deepEqual(at.repository.labels(pull.number), ["interface", "important"]);
});

const ruled = {
  files: {
    ...files,
    ".tickborg.json": JSON.stringify({
      projects,
      labels: [
        { name: "documentation", paths: ["docs"] },
        { name: "bug", titles: ["fix"] },
        { name: "never", paths: ["core/*.h"], titles: ["revert"] },
      ],
    }),
  },
  projects: undefined as never,
};

Deno.test("label rules of the list hold, by paths and by titles", async () => {
  await using at = await harness(ruled);
  const pull = await at.open({ "docs/a.md": "b\n" }, { title: "fix: a word" });
  await at.deliver(at.job(pull));
  assert.deepEqual([...at.repository.labels(pull.number)].sort(), ["bug", "documentation"]);
});

Deno.test("a new title changes labels, and nothing else", async () => {
  await using at = await harness(ruled);
  const pull = await at.open({ "docs/a.md": "b\n" }, { title: "fix(core): a word" });
  await at.deliver(at.job(pull));
  assert.deepEqual(at.repository.labels(pull.number), ["bug", "core", "documentation"]);
  const statuses = at.repository.statuses(pull.headSha);
  await at.repository.edit(pull.number, { title: "revert: a word" });
  const relabel = { labels_only: true, request_id: "d-2" };
  const handled = await at.deliver(at.job(pull, relabel));
  assert.deepEqual([builds(handled), cancellations(handled)], [[], []]);
  assert.deepEqual(at.repository.labels(pull.number), ["documentation", "never"]);
  assert.deepEqual(at.repository.statuses(pull.headSha), statuses);

  at.monorepo.serverUp = false;
  const last = await at.deliver(at.job(pull, relabel), { tries: MAX_TRIES });
  assert.ok(last.error instanceof TransientFault);
  assert.deepEqual(at.repository.statuses(pull.headSha), statuses, "the evaluation stands");
});
