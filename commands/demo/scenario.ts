/** The demo's monorepo and pull request, and what must come of them. Pure. */
import type { Files, ProjectInput } from "../../testing/monorepo.ts";
import { type System, SYSTEMS } from "../../lib/messages/systems.ts";
import check from "./check.sh" with { type: "text" };
import letterScript from "./letters.sh" with { type: "text" };

/** A project of the demo with its files before the pull request. */
interface DemoProject {
  readonly project: ProjectInput;
  readonly files: Files;
}

/** The whole story. */
export interface Scenario {
  readonly projects: readonly ProjectInput[];
  readonly files: Files;
  /** What the pull request changes. */
  readonly change: Files;
  readonly title: string;
  /** Conclusion by check run name. */
  readonly expected: ReadonlyMap<string, string>;
  /** Conclusion of the check run that sums up the others. */
  readonly overall: string;
  readonly labels: readonly string[];
}

const GREETER_C = `#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "world";
  printf("hello, %s (%zu letters)\\n", name, strlen(name));
  return 0;
}
`;

/** `greeter` is built with CMake, or by a shell command where there is none. */
function greeter(has: (program: string) => boolean): DemoProject {
  const common = { name: "greeter", path: "apps/greeter", labels: ["app: greeter"] };
  if (has("cc") && has("cmake") && (has("make") || has("ninja"))) {
    const cmake = "cmake_minimum_required(VERSION 3.10)\nproject(greeter C)\n" +
      "add_executable(greeter main.c)\nenable_testing()\nadd_test(NAME greets COMMAND greeter Ada)\n";
    return {
      project: { ...common, build_system: "CMake" },
      files: { "apps/greeter/CMakeLists.txt": cmake, "apps/greeter/main.c": GREETER_C },
    };
  }
  return {
    project: { ...common, build_system: { Custom: { command: "sh build.sh" } } },
    files: {
      "apps/greeter/build.sh": "echo checking; sh -n greeter.sh && sh greeter.sh Ada\n",
      "apps/greeter/greeter.sh": 'echo "hello, $1"\n',
      "apps/greeter/main.c": GREETER_C,
    },
  };
}

/** `letters` depends on `greeter`, so it is built although the pull request does not touch it. */
const letters: DemoProject = {
  project: {
    name: "letters",
    path: "libs/letters",
    depends_on: ["greeter"],
    build_system: { Custom: { command: "sh letters.sh" } },
  },
  files: {
    "libs/letters/letters.sh": letterScript,
  },
};

/** `parser` is broken by the pull request. */
const parser: DemoProject = {
  project: {
    name: "parser",
    path: "libs/parser",
    build_system: { Custom: { command: "sh check.sh" } },
    labels: ["lib: parser"],
  },
  files: {
    "libs/parser/check.sh": check,
    "libs/parser/grammar.txt": "rule greeting = hello name\n",
  },
};

/** `tray-app` is for a system that the demo has no builder for. */
function trayApp(elsewhere: System): DemoProject {
  return {
    project: {
      name: "tray-app",
      path: "apps/tray",
      build_system: { Custom: { command: "sh build.sh" } },
      systems: [elsewhere],
    },
    files: { "apps/tray/build.sh": "echo building\n" },
  };
}

/** Makes the story for a machine: its system, and which programs it has. */
export function scenarioFor(system: System, has: (program: string) => boolean): Scenario {
  const elsewhere = SYSTEMS.findLast((other) => other !== system && !other.endsWith("linux"))!;
  const all = [greeter(has), letters, parser, trayApp(elsewhere)];
  return {
    projects: all.map(({ project }) => project),
    files: Object.assign({ "README.md": "# A small monorepo\n" }, ...all.map(({ files }) => files)),
    change: {
      "apps/greeter/main.c": GREETER_C.replace("hello", "good morning"),
      "libs/parser/grammar.txt": "greeting = hello name\n",
      "apps/tray/build.sh": "echo building the tray\n",
    },
    title: "feat(greeter): say good morning",
    expected: new Map([
      [`greeter on ${system}`, "success"],
      [`letters on ${system}`, "success"],
      [`parser on ${system}`, "failure"],
      [`tray-app on ${elsewhere}`, "skipped"],
    ]),
    overall: "failure",
    labels: ["app: greeter", "lib: parser"],
  };
}
