/** A test step that ran no test is red with the same words, whatever the build system; one that ran some is not. */
import assert from "node:assert/strict";
import type { Files, ProjectInput } from "../../testing/monorepo.ts";
import { openBuilderHarness } from "./builder_harness.ts";
import { toolTest } from "./tools.ts";

const WORDS = "test ran no test: give the project tests or a test_command";
const NEITHER = "test ran no test: it has neither test nor check; set test_command";
const CMAKE = "cmake_minimum_required(VERSION 3.10)\nproject(it LANGUAGES NONE)\n";
const CRATE = '[package]\nname = "it"\nversion = "1.0.0"\nedition = "2021"\n';
const QUIET_LIB = "[lib]\ntest = false\ndoctest = false\n";

interface Story {
  readonly system: ProjectInput["build_system"];
  readonly programs: string[];
  readonly files: Files;
  /** The log's last line; the test step is green where it is not given. */
  readonly says?: string;
  /** A line of the log. */
  readonly ran?: RegExp;
}

const STORIES: Readonly<Record<string, Story>> = {
  "CMake without enable_testing": {
    system: "CMake",
    programs: ["cmake"],
    files: { "CMakeLists.txt": CMAKE },
    says: WORDS,
  },
  "CMake whose only test is disabled": {
    system: "CMake",
    programs: ["cmake"],
    files: {
      "CMakeLists.txt": `${CMAKE}enable_testing()\nadd_test(NAME a COMMAND true)\n` +
        "set_tests_properties(a PROPERTIES DISABLED TRUE)\n",
    },
    says: WORDS,
  },
  "CMake with a red test that says what CTest says of none": {
    system: "CMake",
    programs: ["cmake"],
    files: {
      "CMakeLists.txt": `${CMAKE}enable_testing()\n` +
        'add_test(NAME a COMMAND sh -c "echo No tests were found!!!; exit 1")\n',
    },
    says: "test exited with code 8",
  },
  "Cargo with no test program": {
    system: "Cargo",
    programs: ["cargo", "cc"],
    files: { "Cargo.toml": CRATE + QUIET_LIB, "src/lib.rs": "pub fn a() {}\n" },
    says: WORDS,
  },
  "Cargo whose test has a harness of its own": {
    system: "Cargo",
    programs: ["cargo", "cc"],
    files: {
      "Cargo.toml": `${CRATE}[[test]]\nname = "own"\nharness = false\n`,
      "src/lib.rs": "pub fn a() {}\n",
      "tests/own.rs": 'fn main() { println!("own harness"); }\n',
    },
    ran: /^own harness$/,
  },
  "Gradle without a test task": {
    system: "Gradle",
    programs: ["gradle", "java"],
    files: { "build.gradle": "task assemble {}\n" },
    says: WORDS,
  },
  "Gradle whose tests are switched off": {
    system: "Gradle",
    programs: ["gradle", "java"],
    files: { "build.gradle": "apply plugin: 'java'\ntest.enabled = false\n" },
    says: WORDS,
  },
  "Make with neither target": {
    system: "Make",
    programs: ["make"],
    files: { "Makefile": "all:\n\t@echo built\n" },
    says: NEITHER,
  },
  "Make with a folder called test and no rule": {
    system: "Make",
    programs: ["make"],
    files: { "Makefile": "all:\n\t@echo built\n", "test/a": "" },
    says: WORDS,
  },
  "Make that is silent about an empty target": {
    system: "Make",
    programs: ["make"],
    files: { "Makefile": "MAKEFLAGS += -s\nall:\n\techo built\n.PHONY: check\ncheck:\n" },
    says: WORDS,
  },
  "Make whose tests are silent": {
    system: "Make",
    programs: ["make"],
    files: { "Makefile": "all: it\nit:\n\t@touch it\ncheck: it done\ndone:\n\t@touch done\n" },
  },
  "Make with its target in an included file": {
    system: "Make",
    programs: ["make"],
    files: {
      "Makefile": "include rules.mk\nall:\n\t@echo built\n",
      "rules.mk": ".DEFAULT_GOAL := all\ntest:\n\t@echo tested\n",
    },
    ran: /^tested$/,
  },
  "Make that hands targets on with $(MAKE)": {
    system: "Make",
    programs: ["make"],
    files: {
      "Makefile": "default: all\n.DEFAULT:\n\tcd src && $(MAKE) $@\n",
      "src/Makefile": "all:\n\t@echo built\ntest:\n\t@echo tested\n",
    },
    ran: /^tested$/,
  },
  "Make that hands targets on with a make that it does not know": {
    system: "Make",
    programs: ["make"],
    files: {
      "Makefile": "default: all\n.DEFAULT:\n\tcd src && make $@\n",
      "src/Makefile": "all:\n\t@echo built\ntest:\n\t@echo tested\n",
    },
    ran: /^tested$/,
  },
  "Make that hands targets on to a folder without tests": {
    system: "Make",
    programs: ["make"],
    files: {
      "Makefile": "default: all\n.DEFAULT:\n\tcd src && $(MAKE) $@\n",
      "src/Makefile": "all:\n\t@echo built\n",
    },
    says: NEITHER,
  },
  "Make whose check is there under a condition only": {
    system: "Make",
    programs: ["make"],
    files: {
      "Makefile": "all:\n\t@echo built\nifdef NEVER\ncheck:\n\t@false\nendif\ninclude more.mk\n",
      "more.mk": "test:\n\t@echo tested\n",
    },
    ran: /^tested$/,
  },
  "Make whose red test is in an included file": {
    system: "Make",
    programs: ["make"],
    files: { "Makefile": "all:\n\t@echo built\ninclude more.mk\n", "more.mk": "test:\n\tfalse\n" },
    says: "test exited with code 2",
  },
  "a configure written by hand whose Makefile has test": {
    system: "Autotools",
    programs: ["make"],
    files: {
      "configure":
        '#!/bin/sh\nprintf "all:\\n\\t@echo built\\ntest:\\n\\t@echo tested\\n" > Makefile\n',
    },
    ran: /^tested$/,
  },
};

for (const [name, { system, programs, files, says, ran }] of Object.entries(STORIES)) {
  toolTest(`${name} is ${says === undefined ? "green" : `red: ${says}`}`, programs, async () => {
    await using harness = await openBuilderHarness({
      projects: [{ name: "it", path: ".", build_system: system }],
      files,
      builder: { network: false },
    });
    const { result, lines } = await harness.build(
      await harness.pullRequest({ "note": "1" }, { test: true }),
    );
    const log = lines.join("\n");
    assert.equal(result.status, says === undefined ? "Success" : "Failure", log);
    assert.equal(result.step, "test", log);
    if (says !== undefined) assert.equal(lines.at(-1), says, log);
    if (ran !== undefined) assert.equal(lines.filter((line) => ran.test(line)).length, 1, log);
  });
}
