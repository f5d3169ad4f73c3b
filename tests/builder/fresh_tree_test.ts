/** Every project of a job is built in the files of its commit alone, at a place that names no job. */
import assert from "node:assert/strict";
import type { ProjectInput } from "../../testing/monorepo.ts";
import { openBuilderHarness } from "./builder_harness.ts";
import { leftovers } from "./builder_verbs.ts";
import { toolTest } from "./tools.ts";

const UNUSED = "int main(void) { int unused = 1; return 0; }\n";

toolTest(
  "a project is not green because another compiled its files before",
  ["make", "cc"],
  async () => {
    const strict: ProjectInput = {
      name: "strict",
      path: "it",
      build_system: "Make",
      configure_args: ["CFLAGS=-Wall -Werror"],
    };
    const projects: ProjectInput[] = [{ name: "it", path: "it", build_system: "Make" }, strict];
    await using harness = await openBuilderHarness({
      projects,
      files: { "it/Makefile": "it: it.o\n" },
    });
    for (const attrs of [["it", "strict"], ["strict"], ["strict", "it"]]) {
      const job = await harness.pullRequest({ "it/it.c": UNUSED }, { attrs });
      const { result, lines } = await harness.build(job);
      assert.equal(result.status, "Failure", attrs.join());
      assert.ok(lines.some((line) => /unused variable/.test(line)), lines.join("\n"));
    }
  },
);

Deno.test("nothing of a project's build reaches the next one: tree, build folder, HOME and /tmp", async () => {
  const leave = 'for place in . "$TICKBORG_BUILD_DIR/.." "$HOME" /tmp; do ' +
    'ls -A "$place"; echo left > "$place/left"; done; echo broken > file';
  const projects = ["one", "two", "three"].map((name): ProjectInput => ({
    name,
    path: "it",
    build_system: { Custom: { command: `cat file; ${leave}` } },
  }));
  await using harness = await openBuilderHarness({ projects, files: { "it/file": "whole\n" } });
  const job = await harness.pullRequest({ "x": "1" }, { attrs: ["one", "two", "three", "one"] });
  const { result, lines } = await harness.build(job);
  assert.equal(result.status, "Success", lines.join("\n"));
  assert.deepEqual(lines.filter((line) => line === "whole").length, 3);
  assert.deepEqual(lines.filter((line) => line === "left" || line === "broken"), []);
  assert.deepEqual(await leftovers(harness), []);
});

/** Where the commands of a build are, and what they are told of it. */
const PLACES = 'echo "here $(pwd) $TICKBORG_SOURCE_DIR $TICKBORG_BUILD_DIR $HOME" && ' +
  'echo "$(pwd)/main.c:3: error" && echo "in $TICKBORG_SOURCE_DIR/.."';

toolTest("in the sandbox every job is built at the same place", ["bwrap"], async () => {
  const project = { name: "it", path: "libs/it", build_system: { Custom: { command: PLACES } } };
  await using harness = await openBuilderHarness({
    projects: [project],
    builder: { sandbox: "bubblewrap" },
    files: { "libs/it/x": "" },
  });
  for (const _ of [1, 2]) {
    const { lines } = await harness.build(await harness.pullRequest({ "x": "1" }));
    assert.ok(
      lines.includes("here /work/src/libs/it /work/src/libs/it /work/build/it /work/home"),
      lines.join("\n"),
    );
  }
});

Deno.test("without a sandbox the log and the result name files from the checkout on", async () => {
  const project = { name: "it", path: "libs/it", build_system: { Custom: { command: PLACES } } };
  await using harness = await openBuilderHarness({
    projects: [project],
    builder: { sandbox: "none" },
    files: { "libs/it/x": "" },
  });
  const { result, lines } = await harness.build(await harness.pullRequest({ "x": "1" }));
  assert.ok(lines.includes("here libs/it libs/it build/it home"), lines.join("\n"));
  assert.ok(lines.includes("libs/it/main.c:3: error"), lines.join("\n"));
  for (const line of [...lines, ...result.output]) assert.doesNotMatch(line, /\/jobs\//);
});
