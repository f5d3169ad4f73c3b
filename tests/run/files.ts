/** Which test files a run takes, and which of them must have the machine for themselves. */
import { relative, resolve } from "node:path";

/** Files that measure time or memory, or that take every core: nothing else runs meanwhile. */
const ALONE = [
  "tests/broker/embedded_test.ts",
  "tests/broker/routing_test.ts",
  "tests/chaos/",
  "tests/comments/command_cost_test.ts",
  "tests/deploy/boot_test.ts",
  "tests/deploy/compile_test.ts",
  "tests/evaluation/wording_test.ts",
  "tests/log_store/cost_test.ts",
];

/** Where the files are that take longest: begun first, so that none is left to the end. */
const LONG = [
  "tests/integration/",
  "tests/deploy/",
  "tests/commands/",
  "tests/broker/",
  "tests/builder/",
  "tests/services/",
];

/** The files of a run. */
export interface TestFiles {
  /** In the order in which they are begun. */
  readonly together: readonly string[];
  readonly alone: readonly string[];
}

/** The test files under the paths, all where there are none. Throws where a path has none. */
export function testFiles(root: string, paths: readonly string[]): TestFiles {
  const every = within(`${root}/tests`).map((path) => relative(root, path)).sort();
  const wanted = paths.map((path) => relative(root, resolve(path)));
  for (const path of wanted) {
    if (!every.some((file) => isUnder(file, path))) throw new Error(`No test file is at ${path}`);
  }
  const chosen = every.filter((file) =>
    wanted.length === 0 || wanted.some((path) => isUnder(file, path))
  );
  const isAlone = (file: string) => ALONE.some((start) => file.startsWith(start));
  const rank = (file: string) => {
    const index = LONG.findIndex((start) => file.startsWith(start));
    return index === -1 ? LONG.length : index;
  };
  return {
    together: chosen.filter((file) => !isAlone(file)).sort((a, b) => rank(a) - rank(b)),
    alone: chosen.filter(isAlone),
  };
}

function isUnder(file: string, path: string): boolean {
  return path === "" || file === path || file.startsWith(`${path.replace(/\/$/, "")}/`);
}

function within(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return within(path);
    return name.endsWith("_test.ts") ? [path] : [];
  });
}
