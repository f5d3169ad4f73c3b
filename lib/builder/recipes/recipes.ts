/** The commands of each build system: one entry for each. Pure. */
import type { Project } from "../../config/config.ts";
import { shellWord } from "../../text/shell.ts";
import { autotools, make, makes } from "./make_recipes.ts";
import { type Recipe, shell, step } from "./recipe.ts";
import { type EmptyTest, type Plan, UnbuildableError } from "./step.ts";

/** One entry for each build system; `Custom` stands apart, because it holds its own command line. */
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

/** https://cmake.org/cmake/help/latest/manual/ctest.1.html: `--no-tests=error` makes an empty run fail. */
function cmake({ project, source, folders, facts, parallelism, os }: Recipe): Plan {
  const { tree, build } = folders;
  const ninja = facts.programs.has("ninja");
  // Visual Studio's generators make all configurations at once and choose when they build.
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

/** CTest counts a disabled test as none; before CMake 3.17 it exits 0 where there is none. */
const EMPTY_CTEST: EmptyTest = {
  none: /^No tests were found!!!$/,
  failure: /^No tests were found!!!$/,
  some: /^(\d+% tests passed, |The following tests FAILED:)/,
};

/** https://mesonbuild.com/Commands.html; `meson test` exits 0 where no test is defined. */
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

/** `cargo test` succeeds where each of its programs ran no test. */
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

/** A wrapper, which mostly lies at the root of a build with many projects, is the version its authors chose. */
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
          // Java's own warnings may stand behind the name without a blank, and Android's tasks are longer.
          some: /^(> Task )?(:[^ :]+)*:test(?!Classes\b|Fixtures)(?!.* (NO-SOURCE|SKIPPED)$)/,
          failure: /^Task 'test' not found in /,
        },
      },
    ],
  };
}

/** A command line of the project's own. Throws {@link UnbuildableError} when it cannot be tested. */
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
