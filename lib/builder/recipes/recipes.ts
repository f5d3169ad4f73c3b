/** The commands of each build system. Pure. */
import type { Project } from "../../config/config.ts";
import { shellWord } from "../../text/shell.ts";
import { autotools, make, makes } from "./make_recipes.ts";
import { type Recipe, shell, step } from "./recipe.ts";
import { type EmptyTest, type Plan, UnbuildableError } from "./step.ts";

/** One entry for each build system. `Custom` is separate, because it has its own command line. */
export const RECIPES: Readonly<
  Record<Exclude<Project["build_system"], object>, (recipe: Recipe) => Plan>
> = {
  CMake: cmake,
  Meson: meson,
  Autotools: autotools,
  Cargo: cargo,
  Gradle: gradle,
  Make: make,
};

/** https://cmake.org/cmake/help/latest/manual/ctest.1.html: `--no-tests=error`: empty runs fail. */
function cmake({ project, source, folders, facts, parallelism, os }: Recipe): Plan {
  const { tree, build } = folders;
  const ninja = facts.programs.has("ninja");
  // Visual Studio's generators prepare all configurations and choose one at build time.
  const release = os === "windows" && !ninja ? "Release" : undefined;
  const generator = ninja ? ["-G", "Ninja"] : [];
  const how = ["--output-on-failure", "--no-tests=error", "-j", `${parallelism}`];
  const ctest = ["ctest", "--test-dir", build, ...how, ...(release ? ["-C", release] : [])];
  return {
    needs: [["cmake"], ...(os === "windows" ? [] : [["ninja", ...makes(os)]])],
    steps: [
      step("configure", [
        "cmake",
        "-S",
        source,
        "-B",
        build,
        ...generator,
        ...project.configure_args,
      ], tree),
      step("build", [
        "cmake",
        "--build",
        build,
        "--parallel",
        `${parallelism}`,
        ...(release ? ["--config", release] : []),
        ...project.build_args,
      ], tree),
      { ...step("test", ctest, tree), emptyTest: EMPTY_CTEST },
    ],
  };
}

/** CTest does not count disabled tests; before CMake 3.17 it exits 0 if there are no tests. */
const EMPTY_CTEST: EmptyTest = {
  none: /^No tests were found!!!$/,
  failure: /^No tests were found!!!$/,
  some: /^(\d+% tests passed, |The following tests FAILED:)/,
};

/** https://mesonbuild.com/Commands.html; `meson test` exits 0 if no test is defined. */
function meson({ project, source, folders, parallelism }: Recipe): Plan {
  const { tree, build } = folders;
  return {
    needs: [["meson"], ["ninja"]],
    steps: [
      step("configure", ["meson", "setup", build, source, ...project.configure_args], tree),
      step(
        "build",
        ["meson", "compile", "-C", build, "-j", `${parallelism}`, ...project.build_args],
        tree,
      ),
      {
        ...step(
          "test",
          ["meson", "test", "-C", build, "--print-errorlogs", "--num-processes", `${parallelism}`],
          tree,
        ),
        emptyTest: {
          none: /^No (suitable )?tests defined\.?$/,
          some: /^(Ok|Expected Fail): +[1-9]/,
        },
      },
    ],
  };
}

/** `cargo test` succeeds even if none of its programs ran a test. */
function cargo({ project, source, folders, parallelism, network }: Recipe): Plan {
  const common = [
    "--target-dir",
    folders.build,
    "--jobs",
    `${parallelism}`,
    ...(network ? [] : ["--offline"]),
    ...project.configure_args,
  ];
  return {
    needs: [["cargo"]],
    steps: [
      step("build", ["cargo", "build", ...common, ...project.build_args], source),
      {
        ...step("test", ["cargo", "test", "--no-fail-fast", ...common], source),
        emptyTest: {
          none: /^(running 0 tests$| +Finished )/,
          some: /^running [1-9]\d* tests?$/,
          program: /^ +(Running|Doc-tests) /,
        },
      },
    ],
  };
}

/** The wrapper is the version that the authors chose, usually at the root of the build. */
function gradle({ project, source, folders, facts, parallelism, network, os, join }: Recipe): Plan {
  const wrapper = facts.gradleWrapper;
  const shell = os === "windows"
    ? ["cmd", "/d", "/c"]
    : [facts.scripts.get("gradlew")?.shell ?? "sh"];
  const program = wrapper !== undefined
    ? [...shell, wrapper]
    : os === "windows"
    ? [...shell, "gradle"]
    : ["gradle"];
  const common = [
    "--no-daemon",
    "--console=plain",
    `--max-workers=${parallelism}`,
    ...(network ? [] : ["--offline"]),
    "--project-dir",
    source,
    ...project.configure_args,
  ];
  const env = { GRADLE_USER_HOME: join(folders.home, ".gradle") };
  return {
    needs: [["java"], ...(wrapper === undefined ? [["gradle"]] : [])],
    steps: [
      { ...step("build", [...program, ...common, "assemble", ...project.build_args], source), env },
      {
        ...step("test", [...program, ...common, "test"], source),
        env,
        emptyTest: {
          none: /^((> Task )?(:[^ :]+)*:test (NO-SOURCE|SKIPPED)|BUILD SUCCESSFUL.*)$/,
          // Java's warnings may follow the name without a space, and Android's task names are
          // longer.
          some: /^(> Task )?(:[^ :]+)*:test(?!Classes\b|Fixtures)(?!.* (NO-SOURCE|SKIPPED)$)/,
          failure: /^Task 'test' not found in /,
        },
      },
    ],
  };
}

/** The project's own command line. Throws {@link UnbuildableError} if it cannot be tested. */
export function custom(command: string, { project, source, os, test }: Recipe): Plan {
  if (test && project.test_command === undefined) {
    throw new UnbuildableError(
      `Cannot test ${project.name}: it is built by a command of its own and has no test_command; ` +
        "add one to its entry in .tickborg.json",
    );
  }
  const words = [...project.configure_args, ...project.build_args];
  const line = [command, ...words.map((word) => shellWord(word, os))].join(" ");
  return { needs: [], steps: [step("build", shell(line, os), source)] };
}
