/** The commands of every build system on every operating system, by table. */
import assert from "node:assert/strict";
import { ConfigSchema } from "../../lib/config/schema.ts";
import type { Project } from "../../lib/config/config.ts";
import { describeStep } from "../../lib/build/describe.ts";
import { planBuild } from "../../lib/build/plan.ts";
import { type Os, type PlanOptions, Unbuildable } from "../../lib/build/step.ts";

const PROGRAMS = "cmake ninja make gmake nmake meson autoreconf cargo gradle java sh".split(" ");

interface Case {
  readonly system: Project["build_system"];
  readonly project?: Partial<Project>;
  readonly os?: Os;
  readonly files?: string[];
  readonly programs?: string[];
  readonly targets?: string[];
  readonly network?: boolean;
}

/** What a person would type for a project `it` at `libs/it`. */
function commands(input: Case): string[] {
  const { os = "linux", system, project: more = {} } = input;
  const [project] = ConfigSchema.shape.projects.parse([
    { name: "it", path: "libs/it", build_system: system, ...more },
  ])!;
  const root = os === "windows" ? "C:\\job" : "/job";
  const sep = os === "windows" ? "\\" : "/";
  const folders = {
    tree: `${root}${sep}tree`,
    build: `${root}${sep}build${sep}it`,
    home: `${root}${sep}home`,
  };
  const options: PlanOptions = {
    test: true,
    jobs: 4,
    os,
    network: input.network ?? true,
    folders,
    facts: {
      files: new Set(input.files ?? []),
      programs: new Set(input.programs ?? PROGRAMS),
      makeTargets: new Set(input.targets ?? ["check"]),
    },
  };
  const { steps } = planBuild(project!, options);
  return steps.map((step) => `${step.name}: ${describeStep(step, { folders, project: "it", os })}`);
}

const CASES: Readonly<Record<string, [Case, string[]]>> = {
  "CMake with Ninja": [
    {
      system: "CMake",
      project: { configure_args: ["-DX=a b"], build_args: ["--target", "all"] },
    },
    [
      "configure: cmake -S libs/it -B build/it -G Ninja '-DX=a b'",
      "build: cmake --build build/it --parallel 4 --target all",
      "test: ctest --test-dir build/it --output-on-failure --no-tests=error -j 4",
    ],
  ],
  "CMake without Ninja": [
    { system: "CMake", programs: ["cmake", "make"] },
    [
      "configure: cmake -S libs/it -B build/it",
      "build: cmake --build build/it --parallel 4",
      "test: ctest --test-dir build/it --output-on-failure --no-tests=error -j 4",
    ],
  ],
  "CMake with Visual Studio": [
    { system: "CMake", os: "windows", programs: ["cmake"] },
    [
      "configure: cmake -S libs\\it -B build\\it",
      "build: cmake --build build\\it --parallel 4 --config Release",
      "test: ctest --test-dir build\\it --output-on-failure --no-tests=error -j 4 -C Release",
    ],
  ],
  "Meson": [
    { system: "Meson", project: { configure_args: ["-Dx=true"] } },
    [
      "configure: meson setup build/it libs/it -Dx=true",
      "build: meson compile -C build/it -j 4",
      "test: meson test -C build/it --print-errorlogs --num-processes 4",
    ],
  ],
  "Autotools with nothing made yet": [
    { system: "Autotools", files: ["configure.ac"] },
    [
      "configure: cd libs/it && autoreconf --force --install",
      "configure: mkdir -p build/it && cd build/it && ../../libs/it/configure",
      "build: mkdir -p build/it && cd build/it && make -j4",
      "test: mkdir -p build/it && cd build/it && make -j4 check",
    ],
  ],
  "Autotools with autogen.sh on FreeBSD": [
    { system: "Autotools", files: ["configure.ac", "autogen.sh"], os: "freebsd" },
    [
      "configure: cd libs/it && sh autogen.sh",
      "configure: mkdir -p build/it && cd build/it && ../../libs/it/configure",
      "build: mkdir -p build/it && cd build/it && gmake -j4",
      "test: mkdir -p build/it && cd build/it && gmake -j4 check",
    ],
  ],
  "Autotools with a configure written by hand": [
    { system: "Autotools", files: ["configure"], project: { configure_args: ["--static"] } },
    [
      "configure: cd libs/it && ./configure --static",
      "build: cd libs/it && make -j4",
      "test: cd libs/it && make -j4 check",
    ],
  ],
  "Cargo without the network": [
    { system: "Cargo", network: false, project: { configure_args: ["--all-features"] } },
    [
      "build: cd libs/it && cargo build --target-dir ../../build/it --jobs 4 --offline --all-features",
      "test: cd libs/it && cargo test --no-fail-fast --target-dir ../../build/it --jobs 4 --offline --all-features",
    ],
  ],
  "Gradle": [
    { system: "Gradle" },
    [
      "build: cd libs/it && gradle --no-daemon --console=plain --max-workers=4 --project-dir . assemble",
      "test: cd libs/it && gradle --no-daemon --console=plain --max-workers=4 --project-dir . test",
    ],
  ],
  "Gradle with a wrapper on Windows": [
    { system: "Gradle", os: "windows", files: ["gradlew.bat"] },
    [
      "build: cd libs\\it && cmd /d /c gradlew.bat --no-daemon --console=plain --max-workers=4 --project-dir . assemble",
      "test: cd libs\\it && cmd /d /c gradlew.bat --no-daemon --console=plain --max-workers=4 --project-dir . test",
    ],
  ],
  "Gradle with a wrapper": [
    { system: "Gradle", files: ["gradlew"], programs: ["java", "sh"] },
    [
      "build: cd libs/it && sh gradlew --no-daemon --console=plain --max-workers=4 --project-dir . assemble",
      "test: cd libs/it && sh gradlew --no-daemon --console=plain --max-workers=4 --project-dir . test",
    ],
  ],
  "Make that names its tests test": [
    { system: "Make", targets: ["test"], project: { configure_args: ["PREFIX=/usr"] } },
    [
      "build: cd libs/it && make -j4 PREFIX=/usr",
      "test: cd libs/it && make -j4 PREFIX=/usr test",
    ],
  ],
  "Make on macOS": [
    { system: "Make", os: "darwin" },
    ["build: cd libs/it && gmake -j4", "test: cd libs/it && gmake -j4 check"],
  ],
  "Make on Windows with nmake": [
    { system: "Make", os: "windows", programs: ["nmake"] },
    ["build: cd libs\\it && nmake", "test: cd libs\\it && nmake check"],
  ],
  "a command of its own": [
    {
      system: { Custom: { command: "./build.sh" } },
      project: { build_args: ["a b"], test_command: "./test.sh" },
    },
    [
      "build: cd libs/it && sh -c './build.sh '\\''a b'\\'''",
      "test: cd libs/it && sh -c ./test.sh",
    ],
  ],
  "a command of its own on Windows": [
    { system: { Custom: { command: "build" } }, os: "windows", project: { test_command: "test" } },
    [
      "build: cd libs\\it && cmd /d /s /c build",
      "test: cd libs\\it && cmd /d /s /c test",
    ],
  ],
  "a test command in place of the build system's own tests": [
    { system: "Meson", project: { test_command: "./check" } },
    [
      "configure: meson setup build/it libs/it",
      "build: meson compile -C build/it -j 4",
      "test: cd libs/it && sh -c ./check",
    ],
  ],
};

for (const [name, [input, expected]] of Object.entries(CASES)) {
  Deno.test(`the commands of ${name}`, () => assert.deepEqual(commands(input), expected));
}

Deno.test("a command of its own without a test command cannot be tested", () => {
  const input: Case = { system: { Custom: { command: "true" } } };
  assert.throws(
    () => commands(input),
    (error) => error instanceof Unbuildable && /has no test_command/.test(error.message),
  );
});

const RUNS: [Exclude<Project["build_system"], object>, string[], boolean][] = [
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
  for (const [system, lines, empty] of RUNS) {
    const [project] = ConfigSchema.shape.projects.parse([
      { name: "it", path: ".", build_system: system },
    ])!;
    const { steps } = planBuild(project!, {
      test: true,
      jobs: 1,
      os: "linux",
      network: true,
      folders: { tree: "/t", build: "/b", home: "/h" },
      facts: { files: new Set(), programs: new Set(), makeTargets: new Set() },
    });
    const { none, some } = steps.at(-1)!.emptyTest!;
    const found = lines.some((line) => none.test(line)) && !lines.some((line) => some.test(line));
    assert.equal(found, empty, `${system}: ${lines.join(" | ")}`);
  }
});
