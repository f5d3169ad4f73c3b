/** The recipes of build systems that run make. Pure. */
import { type Recipe, script, step } from "./recipe.ts";
import type { EmptyTest, Os, Plan } from "./step.ts";

/**
 * A `configure` made by Autoconf builds anywhere; one written by hand, without a `configure.ac`, is run
 * where it lies. `NOCONFIGURE` keeps autogen.sh from running it (GNOME's convention, followed by most); where
 * it ran all the same, the source folder is configured, and no other folder can be.
 */
export function autotools(recipe: Recipe): Plan {
  const { project, source, folders, facts: { files }, facts, parallelism, os, join } = recipe;
  const made = files.has("configure.ac") || files.has("configure.in");
  const ready = files.has("configure");
  const cwd = files.has("config.status") || (ready && !made) ? source : folders.build;
  const program = makeProgram({ facts, os });
  const prepare = ready ? [] : files.has("autogen.sh")
    ? [
      {
        ...step("configure", script("autogen.sh", join(source, "autogen.sh"), recipe), source),
        env: { NOCONFIGURE: "1" },
        replan: true,
      },
    ]
    : [step("configure", ["autoreconf", "--force", "--install"], source)];
  const configure = script("configure", join(source, "configure"), recipe);
  // Automake makes a `check` in every Makefile.
  const known = files.has("Makefile.am") ? 1 : 0;
  return {
    needs: [makes(os), ...(ready ? [] : [["autoreconf"]])],
    steps: [
      ...prepare,
      step("configure", [...configure, ...project.configure_args], cwd),
      step("build", [program, `-j${parallelism}`, ...project.build_args], cwd),
      {
        ...step("test", [program, `-j${parallelism}`, "check"], cwd),
        emptyTest: EMPTY_CHECK,
        targets: { names: TEST_TARGETS, known },
      },
    ],
  };
}

/** Where projects have their tests, by GNU's own convention first. */
const TEST_TARGETS = ["check", "test"];

/** What make says of a target without commands, and what Automake's test drivers say of tests. */
const EMPTY_CHECK: EmptyTest = {
  none:
    /^\w*make(\[\d+\])?: (Nothing to be done for ['`](test|check)(-am|-recursive)?'|['`](test|check)' is up to date)|^# TOTAL: +0$/,
  some: /^(# TOTAL: +[1-9]|(PASS|XFAIL|SKIP): )/,
};

/** The Makefile lies in the project's folder, and what is built too. */
export function make({ project, source, facts, parallelism, os }: Recipe): Plan {
  const program = makeProgram({ facts, os });
  const parallel = program === "nmake" ? [] : [`-j${parallelism}`];
  const known = TEST_TARGETS.filter((name) => facts.makeTargets.has(name));
  const names = [...new Set([...known, ...TEST_TARGETS])];
  const words = [program, ...parallel, ...project.configure_args];
  return {
    needs: [makes(os)],
    steps: [
      step("build", [...words, ...project.build_args], source),
      {
        ...step("test", [...words, names[0]!], source),
        emptyTest: EMPTY_CHECK,
        targets: { names, known: known.length },
      },
    ],
  };
}

/** Names under which GNU make, which most projects need, goes; the first one there is used. */
export function makes(os: Os): string[] {
  if (os === "windows") return ["make", "mingw32-make", "nmake"];
  return os === "linux" ? ["make"] : ["gmake", "make"];
}

function makeProgram({ facts, os }: Pick<Recipe, "facts" | "os">): string {
  return makes(os).find((name) => facts.programs.has(name)) ?? makes(os)[0]!;
}
