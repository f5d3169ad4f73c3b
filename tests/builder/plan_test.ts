/** The commands of every build system on every operating system, by table. */
import assert from "node:assert/strict";
import { ConfigSchema } from "../../lib/config/schema.ts";
import type { Project } from "../../lib/config/config.ts";
import { describeStep } from "../../lib/builder/recipes/describe.ts";
import { planBuild } from "../../lib/builder/recipes/plan.ts";
import {
  type Os,
  type PlanOptions,
  type ProjectFacts,
  type Script,
  UnbuildableError,
} from "../../lib/builder/recipes/step.ts";

const PROGRAMS = "cmake ninja make gmake nmake meson autoreconf cargo gradle java sh".split(" ");

interface Case {
  readonly system: Project["build_system"];
  readonly project?: Partial<Project>;
  readonly os?: Os;
  readonly files?: string[];
  /** Scripts that are there and not executable, with the shell that their first line names. */
  readonly plain?: Readonly<Record<string, string>>;
  readonly executable?: string[];
  readonly wrapper?: string;
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
    parallelism: 4,
    os,
    network: input.network ?? true,
    folders,
    facts: {
      files: new Set(input.files ?? []),
      programs: new Set(input.programs ?? PROGRAMS),
      makeTargets: new Set(input.targets ?? ["check"]),
      scripts: scriptsOf(input),
      ...(input.wrapper ? { gradleWrapper: `${folders.tree}${sep}${input.wrapper}` } : {}),
    },
  };
  const { steps } = planBuild(project!, options);
  return steps.map((step) => `${step.name}: ${describeStep(step, { folders, project: "it", os })}`);
}

function scriptsOf({ executable = ["configure"], plain = {} }: Case): ProjectFacts["scripts"] {
  const scripts = new Map<string, Script>();
  for (const name of executable) scripts.set(name, { executable: true, shell: "sh" });
  for (const [name, shell] of Object.entries(plain)) {
    scripts.set(name, { executable: false, shell });
  }
  return scripts;
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
    {
      system: "Autotools",
      files: ["configure.ac", "autogen.sh"],
      plain: { "autogen.sh": "sh" },
      os: "freebsd",
    },
    [
      "configure: cd libs/it && sh autogen.sh",
      "configure: mkdir -p build/it && cd build/it && ../../libs/it/configure",
      "build: mkdir -p build/it && cd build/it && gmake -j4",
      "test: mkdir -p build/it && cd build/it && gmake -j4 check",
    ],
  ],
  "Autotools with an autogen.sh that runs itself": [
    { system: "Autotools", files: ["configure.ac", "autogen.sh"], executable: ["autogen.sh"] },
    [
      "configure: cd libs/it && ./autogen.sh",
      "configure: mkdir -p build/it && cd build/it && ../../libs/it/configure",
      "build: mkdir -p build/it && cd build/it && make -j4",
      "test: mkdir -p build/it && cd build/it && make -j4 check",
    ],
  ],
  "Autotools with a configure without its executable bit": [
    { system: "Autotools", files: ["configure.ac", "configure"], plain: { configure: "bash" } },
    [
      "configure: mkdir -p build/it && cd build/it && bash ../../libs/it/configure",
      "build: mkdir -p build/it && cd build/it && make -j4",
      "test: mkdir -p build/it && cd build/it && make -j4 check",
    ],
  ],
  "Autotools that is configured in its source folder": [
    { system: "Autotools", files: ["configure.ac", "configure", "config.status"] },
    [
      "configure: cd libs/it && ./configure",
      "build: cd libs/it && make -j4",
      "test: cd libs/it && make -j4 check",
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
    { system: "Gradle", os: "windows", wrapper: "libs\\it\\gradlew.bat" },
    [
      "build: cd libs\\it && cmd /d /c gradlew.bat --no-daemon --console=plain --max-workers=4 --project-dir . assemble",
      "test: cd libs\\it && cmd /d /c gradlew.bat --no-daemon --console=plain --max-workers=4 --project-dir . test",
    ],
  ],
  "Gradle with a wrapper": [
    { system: "Gradle", wrapper: "libs/it/gradlew", programs: ["java", "sh"] },
    [
      "build: cd libs/it && sh gradlew --no-daemon --console=plain --max-workers=4 --project-dir . assemble",
      "test: cd libs/it && sh gradlew --no-daemon --console=plain --max-workers=4 --project-dir . test",
    ],
  ],
  "Gradle with a wrapper at the root, whose first line names bash": [
    { system: "Gradle", wrapper: "gradlew", plain: { gradlew: "bash" } },
    [
      "build: cd libs/it && bash ../../gradlew --no-daemon --console=plain --max-workers=4 --project-dir . assemble",
      "test: cd libs/it && bash ../../gradlew --no-daemon --console=plain --max-workers=4 --project-dir . test",
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
    (error) => error instanceof UnbuildableError && /has no test_command/.test(error.message),
  );
});
