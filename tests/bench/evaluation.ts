/** The git work of an evaluation on a repository of 15,000 files, beside clone, checkout and merge. */
import { join } from "node:path";
import { branchRef, openCache, pullRef } from "../../lib/git/cache.ts";
import { touchedProjects } from "../../lib/projects/projects.ts";
import { Projects } from "../../lib/config/project.ts";
import { createMonorepo, type Monorepo } from "../../testing/monorepo.ts";
import type { Figure } from "./main.ts";
import { median } from "./processes.ts";

const PROJECTS = 150;
const FILES_EACH = 100;
const ROUNDS = 7;

/** Each round is a new pull request, evaluated both ways over the same HTTP git server. */
export async function measureEvaluation(): Promise<Figure[]> {
  const projects = Array.from({ length: PROJECTS }, (_, index) => ({
    name: `p${index}`,
    path: `projects/p${index}`,
    build_system: "Make" as const,
    depends_on: index === 0 ? [] : [`p${index - 1}`],
  }));
  const files = Object.fromEntries(
    projects.flatMap(({ path }) =>
      Array.from(
        { length: FILES_EACH },
        (_, file) => [`${path}/src/file${file}.c`, `int x${file};\n`],
      )
    ),
  );
  const monorepo = await createMonorepo({ files, projects });
  const folder = await Deno.makeTempDir();
  const list = Projects.parse(projects);
  try {
    await evaluate(monorepo, { folder, list, number: await pull(monorepo, 1) });
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      const number = await pull(monorepo, 2 + round);
      const ours = await time(() => evaluate(monorepo, { folder, list, number }));
      const theirs = await time(() => cloneCheckoutMerge(monorepo, { folder, number }));
      rounds.push({ ours, theirs });
    }
    return [{
      figure: "evaluation",
      files: PROJECTS * FILES_EACH,
      milliseconds: Math.round(median(rounds.map(({ ours }) => ours))),
      cloneCheckoutMergeMilliseconds: Math.round(median(rounds.map(({ theirs }) => theirs))),
      timesFaster: Number(median(rounds.map(({ ours, theirs }) => theirs / ours)).toFixed(1)),
      guide: "timesFaster >= 8",
    }];
  } finally {
    await monorepo.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Opens a pull request that changes three files of one project. */
async function pull(monorepo: Monorepo, number: number): Promise<number> {
  const folder = `projects/p${100 + number}/src`;
  const sha = await monorepo.commit(`change-${number}`, {
    [`${folder}/file1.c`]: `int changed${number};\n`,
    [`${folder}/file2.c`]: `int changed${number};\n`,
    [`${folder}/new.c`]: "int added;\n",
  });
  await monorepo.setPullHead(number, sha);
  return number;
}

async function evaluate(
  monorepo: Monorepo,
  { folder, list, number }: {
    folder: string;
    list: ReturnType<typeof Projects.parse>;
    number: number;
  },
): Promise<void> {
  const cache = await openCache(folder, {
    full_name: monorepo.fullName,
    clone_url: monorepo.cloneUrl,
  });
  const refs = [branchRef("main"), pullRef(number)];
  const commits = await cache.fetch(refs);
  const [base, head] = refs.map((ref) => commits.get(ref)!) as [string, string];
  const merge = await cache.mergeTree(base, head);
  if (merge.kind !== "clean") throw new Error("Cannot merge");
  const changed = await cache.changedFiles(base, merge.tree);
  const subjects = await cache.commitSubjects(base, head);
  await cache.readFile(base, ".tickborg.json", 4_000_000);
  const touched = touchedProjects({ files: changed, subjects }, list);
  if (touched.projects.length === 0) throw new Error("Nothing was touched");
}

async function cloneCheckoutMerge(
  monorepo: Monorepo,
  { folder, number }: { folder: string; number: number },
): Promise<void> {
  const clone = join(folder, `clone-${number}`);
  await git(folder, "clone", "-q", monorepo.cloneUrl, clone);
  await git(clone, "fetch", "-q", "origin", pullRef(number));
  await git(clone, "merge", "-q", "--no-ff", "-m", "Merge", "FETCH_HEAD");
  await git(clone, "diff", "--name-only", "HEAD^1...HEAD");
  await Deno.remove(clone, { recursive: true });
}

async function git(cwd: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("git", {
    args: ["-c", "user.name=x", "-c", "user.email=x@example.com", ...args],
    cwd,
    signal: AbortSignal.timeout(60_000),
  }).output();
  if (!success) throw new Error(`Cannot run git ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

async function time(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
