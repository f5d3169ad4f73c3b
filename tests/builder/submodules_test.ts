/** Submodules: fetched over http as the pull request says, never from this machine's disk. */
import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { commitBomb } from "../support/tree_bomb.ts";
import { openBuilderHarness } from "./builder_harness.ts";
import { PROJECT, pullWithSubmodule, withOther } from "./submodule_harness.ts";

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
const THREE = [
  { name: "it", path: "core", build_system: { Custom: { command: "cat x" } } },
  { name: "inside", path: "vendor/other", build_system: { Custom: { command: "cat file" } } },
  {
    name: "user",
    path: "user",
    build_system: { Custom: { command: "cat x" } },
    depends_on: ["inside"],
  },
];
const THREE_FILES = { "core/x": "built\n", "user/x": "built\n" };

Deno.test("SSH and git addresses of the served host are read over its own protocol", async () => {
  await withOther(async (_, sha) => {
    await using harness = await openBuilderHarness({ projects: [PROJECT] });
    const { monorepo } = harness;
    const other = await monorepo.commit("main", { file: "from the submodule\n" });
    assert.notEqual(other, sha);
    const path = `${monorepo.fullName}.git`;
    const host = "127.0.0.1";
    const urls = [`git@${host}:${path}`, `ssh://git@${host}:22/${path}`, `git://${host}/${path}`];
    for (const url of urls) {
      const { result, lines } = await harness.build(await pullWithSubmodule(harness, url, other));
      assert.equal(result.status, "Success", `${url}: ${lines.join("\n")}`);
      assert.ok(lines.includes(`Submodule vendor/other: ${other} of ${monorepo.cloneUrl}`));
    }
  });
});

Deno.test("update = none is honoured: nothing is asked of any host", async () => {
  await using harness = await openBuilderHarness({ projects: THREE, files: THREE_FILES });
  for (const url of ["https://127.0.0.1:1/private.git", "git@example.invalid:private.git"]) {
    const job = await pullWithSubmodule(harness, url, "d".repeat(40), "\tupdate = none\n");
    const { result, lines } = await harness.build(job);
    assert.equal(result.status, "Success", lines.join("\n"));
    assert.ok(
      lines.includes("Submodule vendor/other is not fetched: .gitmodules sets update = none"),
    );
  }
});

Deno.test("a project that lies in a submodule that is left out is red and told, and what depends on it", async () => {
  const around = { name: "around", path: "vendor", build_system: { Custom: { command: "ls" } } };
  await using harness = await openBuilderHarness({
    projects: [...THREE, around],
    files: THREE_FILES,
  });
  const job = await pullWithSubmodule(harness, "../x.git", "d".repeat(40), "\tupdate = none\n");
  for (const attr of ["inside", "user"]) {
    const { result } = await harness.build({ ...job, attrs: [attr] });
    assert.equal(result.status, "Failure", attr);
    assert.equal(result.step, "checkout");
    assert.equal(
      result.output[0],
      "Submodule vendor/other is not fetched: .gitmodules sets update = none",
    );
  }
  const { result, lines } = await harness.build({ ...job, attrs: ["around"] });
  assert.equal(result.status, "Success", lines.join("\n"));
});

Deno.test("a link that .gitmodules does not know is told, and is no fault", async () => {
  await using harness = await openBuilderHarness({ projects: THREE, files: THREE_FILES });
  // The entry moves on to another path before it ends.
  const job = await pullWithSubmodule(harness, "../x.git", "d".repeat(40), "\tpath = elsewhere\n");
  const { result, lines } = await harness.build(job);
  assert.equal(result.status, "Success", lines.join("\n"));
  const told = "Submodule vendor/other is not fetched: .gitmodules names no address for it";
  assert.ok(lines.includes(told), lines.join("\n"));
});

for (
  const [what, url] of [
    ["a name that does not resolve", "https://does-not-exist.invalid/x.git"],
    ["a host that refuses", "http://127.0.0.1:1/x.git"],
    ["an address that git may not use", "file:///etc"],
  ] as const
) {
  Deno.test(`${what} holds up no project that does not need it, at the first delivery`, async () => {
    await using harness = await openBuilderHarness({ projects: THREE, files: THREE_FILES });
    const job = await pullWithSubmodule(harness, url, "d".repeat(40));
    const { result, lines } = await harness.build(job);
    assert.equal(result.status, "Success", lines.join("\n"));
    assert.match(
      lines.join("\n"),
      /^Cannot fetch submodule vendor\/other.*; no project that is built needs it$/m,
    );
  });
}

Deno.test("a name that does not resolve is the source's fault after a few tries, for what needs it alone", async () => {
  await using harness = await openBuilderHarness({ projects: THREE, files: THREE_FILES });
  const url = "https://does-not-exist.invalid/x.git";
  const job = {
    ...await pullWithSubmodule(harness, url, "d".repeat(40)),
    attrs: ["it", "inside", "user"],
  };
  await assert.rejects(() => harness.build(job, { tries: 3 }), TransientFault);
  const { result, lines } = await harness.build(job, { tries: 4 });
  assert.equal(result.status, "Failure");
  assert.equal(result.step, "checkout");
  assert.ok(lines.includes("built"), lines.join("\n"));
  const red = lines.filter((line) => line.includes("Could not resolve host"));
  assert.equal(red.length, 2, lines.join("\n"));
});

Deno.test("another host that is down is waited for by what needs it alone", async () => {
  await withOther(async (other, sha) => {
    await using harness = await openBuilderHarness({ projects: THREE, files: THREE_FILES });
    other.serverUp = false;
    const foreign = await pullWithSubmodule(harness, other.cloneUrl, sha);
    assert.equal((await harness.build({ ...foreign, attrs: ["it"] })).result.status, "Success");
    await assert.rejects(() => harness.build({ ...foreign, attrs: ["inside"] }), TransientFault);
  });
});

Deno.test("git in a submodule tells of the submodule, and the whole is clean", async () => {
  await withOther(async (other, sha) => {
    const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    await other.git(...identity, "tag", "-a", "-m", "One", "other-1.0", sha);
    const command =
      "git -C vendor/other describe; git -C vendor/other rev-parse HEAD; git status -s";
    const projects = [{ name: "it", path: ".", build_system: { Custom: { command } } }];
    await using harness = await openBuilderHarness({ projects });
    const { result, lines } = await harness.build(
      await pullWithSubmodule(harness, other.cloneUrl, sha),
    );
    assert.equal(result.status, "Success", lines.join("\n"));
    assert.deepEqual(lines.slice(-2), ["other-1.0", sha]);
  });
});
