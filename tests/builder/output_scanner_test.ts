/** What a step's output tells beside its exit code. */
import assert from "node:assert/strict";
import { OutputScanner } from "../../lib/builder/log/output_scanner.ts";
import { planBuild } from "../../lib/builder/recipes/plan.ts";
import type { Project } from "../../lib/config/config.ts";
import { ConfigSchema } from "../../lib/config/schema.ts";

/** The lines of a test step, whether it ran no test, and whether it exited 0. */
const RUNS: [Exclude<Project["build_system"], object>, string[], boolean, boolean?][] = [
  ["CMake", ["No tests were found!!!"], true, false],
  ["CMake", ["1/1 Test #1: a ...***Not Run (Disabled)   0.00 sec", "No tests were found!!!"], true],
  ["CMake", ["100% tests passed, 0 tests failed out of 1"], false],
  ["CMake", ["No tests were found!!!", "The following tests FAILED:"], false, false],
  ["Cargo", ["    Finished `test` profile [unoptimized + debuginfo] target(s) in 0.05s"], true],
  ["Cargo", [" Finished x", "     Running tests/c.rs (target/debug/deps/c-1)", "hi"], false],
  ["Cargo", [" Finished x", "     Running a", "", "running 0 tests", "   Doc-tests it"], false],
  ["Cargo", [" Finished x", "   Doc-tests it", "", "running 0 tests", "", "ok"], true],
  ["Cargo", ["running 0 tests", "error: test failed"], false, false],
  ["Gradle", ["> Task :test SKIPPED", "BUILD SUCCESSFUL in 1s"], true],
  ["Gradle", ["> Task :help", "BUILD SUCCESSFUL in 1s"], true],
  ["Gradle", ["> Task :app:testDebugUnitTest", "> Task :app:test", "BUILD SUCCESSFUL"], false],
  ["Gradle", ["> Task :testFixturesJar", "> Task :test NO-SOURCE", "BUILD SUCCESSFUL"], true],
  ["Gradle", [":testOpenJDK 64-Bit Server VM warning: x", "BUILD SUCCESSFUL"], false],
  ["Gradle", ["Task 'test' not found in root project 'it'."], true, false],
  ["Meson", ["No suitable tests defined."], true],
  ["Autotools", ["# TOTAL: 0", "# PASS:  0"], true],
  ["Autotools", ["# TOTAL: 0", "# TOTAL: 2"], false],
  ["Cargo", ["running 0 tests", "running 0 tests"], true],
  ["Cargo", ["running 0 tests", "running 1 test"], false],
  ["Cargo", ["running 12 tests"], false],
  ["Meson", ["No tests defined."], true],
  ["Meson", ["Ok:                 3   ", "Fail:               0   "], false],
  ["Gradle", ["> Task :test NO-SOURCE"], true],
  ["Gradle", ["> Task :a:test NO-SOURCE", "> Task :b:test"], false],
  ["Gradle", [":testClasses", ":test NO-SOURCE"], true],
  ["Gradle", [":testWARNING: A terminally deprecated method", ":a:test NO-SOURCE"], false],
  ["Make", ["make: Nothing to be done for 'check'."], true],
  ["Make", ["make[2]: 'check' is up to date."], true],
  ["Make", ["echo checked"], false],
  ["Autotools", ["make[1]: Nothing to be done for 'check-am'."], true],
  ["Autotools", ["make[1]: Nothing to be done for 'check'.", "# TOTAL: 4"], false],
];

Deno.test("a test run that ran nothing is recognised by what it prints", () => {
  for (const [system, lines, empty, succeeded = true] of RUNS) {
    const [project] = ConfigSchema.shape.projects.parse([
      { name: "it", path: ".", build_system: system },
    ])!;
    const { steps } = planBuild(project!, {
      test: true,
      parallelism: 1,
      os: "linux",
      network: true,
      folders: { tree: "/t", build: "/b", home: "/h" },
      facts: {
        files: new Set(),
        programs: new Set(),
        makeTargets: new Set(),
        scripts: new Map(),
      },
    });
    const watch = new OutputScanner(steps.at(-1)!);
    watch.see(lines);
    assert.equal(watch.ranNoTest(succeeded), empty, `${system}: ${lines.join(" | ")}`);
  }
});
