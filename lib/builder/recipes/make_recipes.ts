/** The recipes of build systems that run make. Pure. */
import { type Recipe, script, step } from "./recipe.ts";
import type { EmptyTest, Os, Plan } from "./step.ts";

/**
 * A `configure` made by Autoconf works from any folder; a handwritten one, without a
 * `configure.ac`, runs in its own folder. `NOCONFIGURE` keeps autogen.sh from running it (a GNOME
 * convention that most follow). If it ran anyway, the source folder is configured, and no other
 * folder can be.
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
  // Automake adds a `check` target to every Makefile.
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

/** Common targets for tests, GNU's convention first. */
const TEST_TARGETS = ["check", "test"];

/** How make reports a target without commands, and how Automake's test drivers report tests. */
const EMPTY_CHECK: EmptyTest = {
  none:
    /^\w*make(\[\d+\])?: (Nothing to be done for ['`](test|check)(-am|-recursive)?'|['`](test|check)' is up to date)|^# TOTAL: +0$/,
  some: /^(# TOTAL: +[1-9]|(PASS|XFAIL|SKIP): )/,
};

/** The Makefile and what it builds are in the project's folder. */
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

/** Names of make, GNU make first because most projects need it; the first one found is used. */
export function makes(os: Os): string[] {
  if (os === "windows") return ["make", "mingw32-make", "nmake"];
  return os === "linux" ? ["make"] : ["gmake", "make"];
}

function makeProgram({ facts, os }: Pick<Recipe, "facts" | "os">): string {
  return makes(os).find((name) => facts.programs.has(name)) ?? makes(os)[0]!;
}
