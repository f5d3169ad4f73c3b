/** Every build system builds and tests a real, tiny project; a failure is red, and so is a test run without tests. */
import assert from "node:assert/strict";
import type { Project } from "../../lib/config/config.ts";
import type { Files } from "../../testing/monorepo.ts";
import { type BuilderHarness, openBuilderHarness } from "./builder_harness.ts";
import { toolTest } from "./tools.ts";

interface Sample {
  readonly system: Project["build_system"];
  readonly programs: readonly string[];
  readonly project?: Partial<Project>;
  /** A project whose test passes. */
  readonly files: Files;
  /** A line of the log that shows that the test ran. */
  readonly ran: RegExp;
  /** Breaks the build. */
  readonly broken: Files;
  /** Breaks the test. */
  readonly red: Files;
  /** Takes the tests away. */
  readonly untested: Files;
}

const main = (body: string) => `int main(void) { ${body} }\n`;
const BROKEN_C = { "it/main.c": main("this is not C") };
const RED_C = { "it/main.c": main("return 7;") };

const SAMPLES: Readonly<Record<string, Sample>> = {
  CMake: {
    system: "CMake",
    programs: ["cmake", "cc"],
    files: {
      "it/CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(it C)\n" +
        "enable_testing()\nadd_executable(it main.c)\nadd_test(NAME runs COMMAND it)\n",
      "it/main.c": main("return 0;"),
    },
    ran: /100% tests passed/,
    broken: BROKEN_C,
    red: RED_C,
    untested: {
      "it/CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(it C)\n" +
        "enable_testing()\nadd_executable(it main.c)\n",
    },
  },
  Meson: {
    system: "Meson",
    programs: ["meson", "ninja", "cc"],
    files: {
      "it/meson.build": "project('it', 'c')\ntest('runs', executable('it', 'main.c'))\n",
      "it/main.c": main("return 0;"),
    },
    ran: /^Ok: +1/,
    broken: BROKEN_C,
    red: RED_C,
    untested: { "it/meson.build": "project('it', 'c')\nexecutable('it', 'main.c')\n" },
  },
  Autotools: {
    system: "Autotools",
    programs: ["autoreconf", "automake", "make", "cc"],
    files: {
      "it/configure.ac":
        "AC_INIT([it], [1])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n",
      "it/Makefile.am": "check_PROGRAMS = it\nit_SOURCES = main.c\nTESTS = it\n",
      "it/main.c": main("return 0;"),
    },
    ran: /^# PASS: +1/,
    broken: { "it/Makefile.am": "bin_PROGRAMS = it\nit_SOURCES = main.c\n", ...BROKEN_C },
    red: RED_C,
    untested: { "it/Makefile.am": "bin_PROGRAMS = it\nit_SOURCES = main.c\n" },
  },
  Cargo: {
    system: "Cargo",
    programs: ["cargo", "cc"],
    files: {
      "it/Cargo.toml": '[package]\nname = "it"\nversion = "1.0.0"\nedition = "2021"\n',
      "it/src/lib.rs": "#[test]\nfn runs() { assert_eq!(1 + 1, 2); }\n",
    },
    ran: /^test result: ok\. 1 passed/,
    broken: { "it/src/lib.rs": "this is not Rust\n" },
    red: { "it/src/lib.rs": "#[test]\nfn runs() { assert_eq!(1 + 1, 3); }\n" },
    untested: { "it/src/lib.rs": "pub fn nothing() {}\n" },
  },
  Gradle: {
    system: "Gradle",
    programs: ["gradle", "java"],
    files: {
      "it/build.gradle":
        "apply plugin: 'java'\nrepositories { flatDir { dirs '/usr/share/java' } }\n" +
        "dependencies { testImplementation name: 'junit4'; testImplementation name: 'hamcrest' }\n",
      "it/src/main/java/It.java": "public class It { public static int one() { return 1; } }\n",
      "it/src/test/java/ItTest.java": "public class ItTest {\n" +
        "  @org.junit.Test public void runs() { org.junit.Assert.assertEquals(1, It.one()); }\n}\n",
    },
    ran: /^(> Task )?:test(WARNING|$)/,
    broken: { "it/src/main/java/It.java": "this is not Java\n" },
    red: { "it/src/main/java/It.java": "public class It { static int one() { return 2; } }\n" },
    untested: { "it/src/test/java/ItTest.java": undefined },
  },
  Make: {
    system: "Make",
    programs: ["make", "cc"],
    files: {
      "it/Makefile": "it: main.c\n\tcc -o it main.c\ncheck: it\n\t./it && echo checked\n",
      "it/main.c": main("return 0;"),
    },
    ran: /^checked$/,
    broken: BROKEN_C,
    red: RED_C,
    untested: { "it/Makefile": "it: main.c\n\tcc -o it main.c\ncheck:\n" },
  },
  Custom: {
    system: { Custom: { command: "cc -o it main.c && echo built" } },
    programs: ["cc"],
    project: { test_command: "./it && echo checked" },
    files: { "it/main.c": main("return 0;") },
    ran: /^checked$/,
    broken: BROKEN_C,
    red: RED_C,
    untested: {},
  },
};

for (const [name, sample] of Object.entries(SAMPLES)) {
  toolTest(`${name} builds, tests, fails and notices missing tests`, sample.programs, async (t) => {
    await using harness = await openSample(sample);
    await t.step("a build that succeeds is green and runs no test", async () => {
      const { result, lines } = await harness.build(await harness.pullRequest({ "note": "1" }));
      assert.equal(result.status, "Success", lines.join("\n"));
      assert.equal(result.step, "build");
      assert.ok(!lines.some((line) => sample.ran.test(line)));
    });
    await t.step("a test that passes is green and ran", async () => {
      const job = await harness.pullRequest({ "note": "2" }, { test: true });
      const { result, lines } = await harness.build(job);
      assert.equal(result.status, "Success", lines.join("\n"));
      assert.equal(result.step, "test");
      assert.ok(lines.some((line) => sample.ran.test(line)), lines.join("\n"));
    });
    await t.step("code that does not compile is red at the build", async () => {
      const { result, lines } = await harness.build(await harness.pullRequest(sample.broken));
      assert.equal(result.status, "Failure", lines.join("\n"));
      assert.equal(result.step, "build");
    });
    await t.step("a test that fails is red at the test", async () => {
      const { result, lines } = await harness.build(
        await harness.pullRequest(sample.red, { test: true }),
      );
      assert.equal(result.status, "Failure", lines.join("\n"));
      assert.equal(result.step, "test");
    });
    if (Object.keys(sample.untested).length === 0) return;
    await t.step("a test run without tests is red, not green", async () => {
      const { result, lines } = await harness.build(
        await harness.pullRequest(sample.untested, { test: true }),
      );
      assert.equal(result.status, "Failure", lines.join("\n"));
      assert.equal(result.step, "test");
      assert.equal(lines.at(-1), "test ran no test: give the project tests or a test_command");
    });
  });
}

function openSample({ system, files, project }: Sample): Promise<BuilderHarness> {
  return openBuilderHarness({
    files,
    projects: [{ name: "it", path: "it", build_system: system, ...project }],
    builder: { network: false },
  });
}
