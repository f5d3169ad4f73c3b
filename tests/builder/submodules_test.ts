/** Submodules: fetched over http as the pull request says, never from this machine's disk. */
import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { commitBomb } from "../support/tree_bomb.ts";
import { openBuilderHarness } from "./builder_harness.ts";
import { PROJECT, pullWithSubmodule, withOther } from "./submodule_pulls.ts";

Deno.test("a submodule is fetched at the commit that is linked", async () => {
  await withOther(async (other, sha) => {
    await using harness = await openBuilderHarness({ projects: [PROJECT] });
    const { result, lines } = await harness.build(
      await pullWithSubmodule(harness, other.cloneUrl, sha),
    );
    assert.equal(result.status, "Success", lines.join("\n"));
    assert.ok(lines.includes(`Submodule vendor/other: ${sha} of ${other.cloneUrl}`));
    assert.equal(lines.at(-1), "from the submodule");
  });
});

Deno.test("a submodule on this machine's disk, or one that is not there, is red and told", async () => {
  await withOther(async (other, sha) => {
    await using harness = await openBuilderHarness({ projects: [PROJECT] });
    for (const url of [`file://${other.upstream}`, other.upstream]) {
      const { result } = await harness.build(await pullWithSubmodule(harness, url, sha));
      assert.equal(result.status, "Failure");
      assert.equal(result.step, "checkout");
      assert.match(
        result.output[0]!,
        /Cannot fetch submodule vendor\/other: .*path on this machine/,
      );
    }
    const missing = await pullWithSubmodule(harness, other.cloneUrl, "d".repeat(40));
    await assert.rejects(() => harness.build(missing), TransientFault);
    const { result } = await harness.build(missing, { tries: 4 });
    assert.equal(result.status, "Failure");
    assert.match(result.output[0]!, /Cannot find commit/);
  });
});

Deno.test("a link to something else than a commit is red and told", async () => {
  await withOther(async (other) => {
    const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    await other.git(...identity, "tag", "-a", "-m", "One", "v1", "main");
    const tag = await other.git("rev-parse", "v1");
    await using harness = await openBuilderHarness({ projects: [PROJECT] });
    const { result } = await harness.build(await pullWithSubmodule(harness, other.cloneUrl, tag));
    assert.equal(result.status, "Failure");
    assert.match(result.output[0]!, new RegExp(`vendor/other .*: ${tag} is not a commit`));
    const file = await pullWithSubmodule(
      harness,
      other.cloneUrl,
      await other.git("rev-parse", "main:file"),
    );
    const late = await harness.build(file, { tries: 4 });
    assert.equal(late.result.status, "Failure");
  });
});

Deno.test("where builds have no network, a submodule of another host is not fetched either", async () => {
  await withOther(async (other, sha) => {
    await using harness = await openBuilderHarness({
      projects: [PROJECT],
      builder: { network: false },
    });
    const { result } = await harness.build(await pullWithSubmodule(harness, other.cloneUrl, sha));
    assert.equal(result.status, "Failure");
    assert.match(result.output[0]!, /it is on another host/);
  });
});

Deno.test("a .gitmodules that lists more than anybody has is red before git is asked of each", async () => {
  await using harness = await openBuilderHarness({ projects: [PROJECT] });
  const entry = (at: number) =>
    `[submodule "${at}"]\n\tpath = p${at}\n\turl = http://x.invalid/y\n`;
  for (const count of [1_001, 50_000]) {
    const text = Array.from({ length: count }, (_, at) => entry(at)).join("");
    const { result } = await harness.build(await harness.pullRequest({ ".gitmodules": text }));
    assert.equal(result.status, "Failure");
    assert.match(result.output[0]!, /lists more than 1000/);
  }
});

Deno.test("a submodule of millions of files is red before it is unfolded", async () => {
  await withOther(async (other, sha) => {
    const bomb = await commitBomb(other.upstream, sha);
    await other.git("update-ref", "refs/heads/bomb", bomb);
    await using harness = await openBuilderHarness({ projects: [PROJECT] });
    const { result } = await harness.build(await pullWithSubmodule(harness, other.cloneUrl, bomb));
    assert.equal(result.status, "Failure");
    assert.match(result.output[0]!, /vendor\/other .*too many files/);
  });
});

/** A project beside the submodule, one inside of it, and one that depends on that. */
