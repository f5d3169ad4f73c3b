/** Tests that need programs of this machine: ignored on a machine that lacks them, a failure in CI. */
import { delimiter, join } from "node:path";

const CI = Deno.env.get("CI") === "true";

/** The programs among these that PATH does not have, and the files that are not there. */
export function missingPrograms(programs: readonly string[]): string[] {
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter);
  return programs.filter((program) =>
    program.startsWith("/")
      ? !isFile(program)
      : !folders.some((folder) => isFile(join(folder, program)))
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Registers a test that needs programs; with `ignore` it is left out for another reason. */
export function toolTest(
  name: string,
  programs: readonly string[],
  fn: (t: Deno.TestContext) => void | Promise<void>,
  { ignore = false } = {},
): void {
  const missing = missingPrograms(programs);
  Deno.test({
    name: missing.length > 0 ? `${name} (lacks ${missing.join(", ")})` : name,
    ignore: ignore || (missing.length > 0 && !CI),
    fn(t) {
      if (missing.length > 0) throw new Error(`CI lacks ${missing.join(", ")}`);
      return fn(t);
    },
  });
}
