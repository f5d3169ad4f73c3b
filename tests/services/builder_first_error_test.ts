/** What a result tells of why a build failed, when real tools print it. */
import assert from "node:assert/strict";
import { openBuilderHarness } from "../builder/builder_harness.ts";
import { custom } from "../builder/builder_verbs.ts";

Deno.test("make in folders: the first error has its path in the repository, far above the log's end", async () => {
  await using harness = await openBuilderHarness({
    projects: [{ name: "core", path: "core", build_system: "Make" }],
  });
  const noise = "\t@i=0; while [ $$i -lt 500 ]; do echo noise $$i; i=$$((i+1)); done; false\n";
  const job = await harness.pullRequest({
    "core/Makefile": "all:\n\t-$(MAKE) -C lib\n" + noise,
    "core/lib/Makefile": "all:\n\tcc -c blocks.c\n",
    "core/lib/blocks.c": "int f(void)\n{\n  return undeclared;\n}\n",
  }, { attrs: ["core"] });
  const { result } = await harness.build(job);
  assert.equal(result.status, "Failure");
  const { file, line, message, context } = result.first_error!;
  assert.deepEqual([file, line, message], ["core/lib/blocks.c", 3, "'undeclared' undeclared"]);
  assert.ok(context!.includes("cc -c blocks.c"), context!.join("\n"));
  assert.equal(result.reason, "exited with code 2");
  assert.doesNotMatch(result.output.join("\n"), /undeclared/);
});

Deno.test("CMake prints whole paths: none of the job's folder is left in what people read", async () => {
  await using harness = await openBuilderHarness({
    projects: [{ name: "lib", path: "lib", build_system: "CMake" }],
  });
  const job = await harness.pullRequest({
    "lib/CMakeLists.txt":
      "cmake_minimum_required(VERSION 3.10)\nproject(lib C)\nadd_library(lib src/a.c)\n",
    "lib/src/a.c": "int f(void) { return z; }\n",
  }, { attrs: ["lib"] });
  const { result } = await harness.build(job);
  const { file, line, context } = result.first_error!;
  assert.deepEqual([file, line], ["lib/src/a.c", 1]);
  const shown = [...context!, ...result.output].join("\n");
  assert.match(shown, /lib\/src\/a\.c:1:\d+: error/);
  assert.ok(!shown.includes(result.attempt_id), shown);
});

Deno.test("what an earlier step printed is not why a later one failed", async () => {
  await using harness = await openBuilderHarness({
    projects: [custom("echo 'a.c:1: error: harmless'", { test_command: "exit 3" })],
  });
  const job = await harness.pullRequest({ x: "1" }, { test: true });
  const { result } = await harness.build(job);
  assert.deepEqual([result.status, result.step], ["Failure", "test"]);
  assert.equal(result.first_error, undefined);
  assert.equal(result.reason, "exited with code 3");
});

Deno.test("a success tells no error, whatever it printed", async () => {
  await using harness = await openBuilderHarness({
    projects: [custom("echo 'a.c:1: error: harmless'")],
  });
  const { result } = await harness.build(await harness.pullRequest({ x: "1" }));
  assert.equal(result.status, "Success");
  assert.deepEqual([result.first_error, result.reason], [undefined, undefined]);
});
