/** `tickborg local`: what the bot would do for a branch, on a machine alone. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { toolTest } from "../build/tools.ts";
import { createMonorepo, type Monorepo } from "../support/monorepo.ts";
import { inFolder, tickborg } from "./run.ts";

function local(...args: string[]) {
  return tickborg(["local", ...args]);
}

const PROJECTS = [
  { name: "lib", path: "lib", build_system: "Make" as const, labels: ["area: lib"] },
  { name: "app", path: "app", build_system: "Make" as const, depends_on: ["lib"] },
  { name: "docs", path: "docs", build_system: { Custom: { command: "false" } } },
  {
    name: "mac",
    path: "mac",
    build_system: "Make" as const,
    systems: ["aarch64-darwin" as const],
    depends_on: ["lib"],
  },
];
const FILES = {
  "lib/Makefile": "all:\n\techo lib is built\ncheck:\n\techo lib is tested\n",
  "app/Makefile": "all:\n\techo app is built\ncheck:\n\techo app is tested\n",
  "docs/index": "1\n",
  "mac/Makefile": "all:\n\tfalse\n",
};

async function withMonorepo(work: (monorepo: Monorepo) => Promise<void>): Promise<void> {
  const monorepo = await createMonorepo({ files: FILES, projects: PROJECTS });
  try {
    await work(monorepo);
  } finally {
    await monorepo.close();
  }
}

Deno.test("a wrong argument is told in one line, with exit code 2", async () => {
  const cases: [string[], RegExp][] = [
    [["--nonsense"], /--nonsense/],
    [["--build", "--test"], /--build and --test/],
    [["--jobs", "0"], /--jobs takes a whole number/],
    [["--repo", "/nonexistent"], /there is no folder \/nonexistent/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await local(...args);
    assert.equal(code, 2, err);
    assert.equal(out, "");
    assert.match(err, message);
    assert.equal(err.trim().split("\n").length, 1);
  }
});

Deno.test("a revision or project that is not there is a wrong argument", async () => {
  await withMonorepo(async ({ workTree }) => {
    const revision = await local("--repo", workTree, "--base", "nowhere");
    assert.equal(revision.code, 2);
    assert.match(revision.err, /"nowhere" names no commit in this repository; see --help\n$/);
    const head = await local("--repo", workTree, "--base", "main", "--head", "pull/7/head");
    assert.equal(head.code, 2);
    assert.match(
      head.err,
      /"pull\/7\/head" names no commit.*git fetch origin pull\/<number>\/head/,
    );
    const project = await local("--repo", workTree, "--base", "main", "libb");
    assert.equal(project.code, 2);
    assert.match(project.err, /No project is named "libb"; did you mean lib\?/);
  });
});

toolTest(
  "a branch is built with what depends on it, and its repository stays as it is",
  ["make"],
  async () => {
    await withMonorepo(async (monorepo) => {
      await monorepo.commit("change", { "lib/new": "1\n" }, { message: "feat(lib): new" });
      await Deno.writeTextFile(join(monorepo.workTree, "uncommitted"), "1\n");
      const before = await filesBelow(monorepo.workTree);
      const { code, out, err } = await local("--repo", monorepo.workTree, "--test");
      assert.equal(code, 0, out + err);
      assert.match(out, /1 uncommitted change is not built/);
      assert.match(out, /Labels: area: lib/);
      assert.match(out, /lib: its files change; the bot builds it on x86_64-linux/);
      assert.match(out, /app: it depends on lib/);
      assert.match(out, /^ {2}cd lib && make -j\d+$/m);
      assert.match(out, /^lib is tested$/m);
      assert.match(out, /^app is tested$/m);
      assert.match(out, /^app +Success +test/m);
      assert.match(out, /^mac +Skipped/m);
      assert.doesNotMatch(out, /docs/);
      assert.deepEqual(await filesBelow(monorepo.workTree), before);
    });
  },
);

toolTest("a red build ends in exit code 1 and says which command failed", ["make"], async () => {
  await withMonorepo(async (monorepo) => {
    await monorepo.commit("change", { "app/Makefile": "all:\n\texit 3\n" });
    const { code, out } = await local(
      "--repo",
      monorepo.workTree,
      "--base",
      "main",
      "--no-sandbox",
    );
    assert.equal(code, 1);
    assert.match(out, /^app +Failure +build/m);
    assert.match(out, /app: build exited with code 2\n {2}cd app && make -j\d+/);
  });
});

Deno.test({
  name: "without bubblewrap a dry run shows all the same, and as root a build says what to do",
  ignore: Deno.build.os === "windows",
  fn: () =>
    withMonorepo((monorepo) =>
      inFolder(async (folder) => {
        await monorepo.commit("change", { "docs/index": "2\n" });
        for (const program of ["git", "sh", "id", "make"]) {
          const { stdout } = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] })
            .output();
          const path = new TextDecoder().decode(stdout).trim();
          if (path !== "") await Deno.symlink(path, join(folder, program));
        }
        const args = ["local", "--repo", monorepo.workTree, "--base", "main"];
        const env = { PATH: folder };
        const shown = await tickborg([...args, "--dry-run"], { env });
        assert.equal(shown.code, 0, shown.err);
        assert.match(shown.out, /^ {2}cd docs && sh -c false$/m);
        assert.equal(shown.err, "");
        if (Deno.uid() !== 0) return;
        const built = await tickborg(args, { env });
        assert.equal(built.code, 2);
        assert.match(built.err, /^Cannot run .* as root without a sandbox: .*--no-sandbox.*\n$/);
      })
    ),
});

Deno.test("what a submodule is called cannot write to the terminal", () =>
  withMonorepo(async ({ workTree }) => {
    const git = (...args: string[]) => runIn(workTree, "git", ...AS_ADA, ...args);
    const gitmodules = '[submodule "x"]\n\tpath = "ven\x1b[31mdor"\n\turl = "file:///x\x1b[2J"\n';
    await git("checkout", "-q", "-b", "change");
    await Deno.writeTextFile(join(workTree, ".gitmodules"), gitmodules);
    await Deno.writeTextFile(join(workTree, "docs/index"), "2\n");
    await git("add", "-A");
    const link = "160000,0123456789012345678901234567890123456789,ven\x1b[31mdor";
    await git("update-index", "--add", "--cacheinfo", link);
    await git("commit", "-q", "-m", "Add a submodule");
    const { code, out, err } = await local("--repo", workTree, "--base", "main");
    assert.equal(code, 1, err);
    assert.match(err, /^Cannot fetch submodule .*vendor/);
    assert.ok(!(out + err).includes("\x1b"), err);
  }));

toolTest("--json prints a report and nothing else on standard output", ["make"], async () => {
  await withMonorepo(async (monorepo) => {
    const head = await monorepo.commit("change", { "docs/index": "2\n" });
    const base = await monorepo.git("rev-parse", "main");
    const { code, out, err } = await local("--repo", monorepo.workTree, "--base", "main", "--json");
    assert.equal(code, 1, err);
    const report = JSON.parse(out);
    assert.equal(report.ok, false);
    assert.deepEqual([report.base, report.head, report.verdict], [base, head, "build"]);
    assert.deepEqual(
      report.builds.map((
        { project, status, step }: Record<string, string>,
      ) => [project, status, step]),
      [["docs", "Failure", "build"]],
    );
  });
});

Deno.test("a conflict is told and nothing is built", async () => {
  await withMonorepo(async (monorepo) => {
    await monorepo.commit("change", { "docs/index": "2\n" });
    await monorepo.commit("main", { "docs/index": "3\n" });
    const { code, out } = await local(
      ...["--repo", monorepo.workTree, "--base", "main", "--head", "change"],
    );
    assert.equal(code, 1);
    assert.match(out, /Conflicts with main in docs\/index/);
  });
});

Deno.test("a branch that touches no project is fine", async () => {
  await withMonorepo(async (monorepo) => {
    await monorepo.commit("change", { "elsewhere": "2\n" });
    const { code, out } = await local("--repo", monorepo.workTree, "--base", "main");
    assert.equal(code, 0);
    assert.match(out, /No project is touched/);
  });
});

/** Debian's libgtest-dev: GoogleTest and GoogleMock, two C++ projects in one tree, written by others. */
const GOOGLETEST = "/usr/src/googletest";
const GOOGLE_PROJECTS = {
  projects: [
    {
      name: "googletest",
      path: "googletest",
      build_system: "CMake",
      configure_args: ["-Dgtest_build_samples=ON"],
      test_command: '"$TICKBORG_BUILD_DIR/sample1_unittest"',
    },
    { name: "googlemock", path: "googlemock", build_system: "CMake", depends_on: ["googletest"] },
  ],
};

toolTest("a real C++ monorepo: what changed is built, and nothing else", [
  "cmake",
  "c++",
  "make",
  `${GOOGLETEST}/CMakeLists.txt`,
], async () => {
  const root = await Deno.makeTempDir({ prefix: "tickborg-googletest-" });
  try {
    const git = (...args: string[]) => runIn(root, "git", ...AS_ADA, ...args);
    await runIn(root, "cp", "-r", `${GOOGLETEST}/.`, ".");
    await git("init", "-q", "-b", "main");
    await Deno.writeTextFile(join(root, ".tickborg.json"), JSON.stringify(GOOGLE_PROJECTS));
    await git("add", "-A");
    await git("commit", "-q", "-m", "Import GoogleTest");
    await git("checkout", "-q", "-b", "both");
    await append(join(root, "googletest/src/gtest.cc"), "// A change\n");
    await git("commit", "-q", "-a", "-m", "Change GoogleTest");
    await git("checkout", "-q", "-b", "mock", "main");
    await append(join(root, "googlemock/src/gmock.cc"), "// A change\n");
    await git("commit", "-q", "-a", "-m", "Change GoogleMock");

    const plan = await local("--repo", root, "--head", "both", "--dry-run", "--json");
    assert.equal(plan.code, 0, plan.err);
    const names = JSON.parse(plan.out).builds.map(({ project }: { project: string }) => project);
    assert.deepEqual(names, ["googletest", "googlemock"]);

    const mock = await local("--repo", root, "--head", "mock", "--json");
    assert.equal(mock.code, 0, mock.err);
    const [built, ...others] = JSON.parse(mock.out).builds;
    assert.deepEqual([built.project, built.status, others], ["googlemock", "Success", []]);
    assert.match(mock.err, /libgmock\.a/);

    const test = await local("--repo", root, "--head", "both", "--json", "--test", "googletest");
    assert.equal(test.code, 0, test.err);
    assert.match(test.err, /\[ {2}PASSED {2}\] 6 tests/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

const AS_ADA = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];

async function runIn(cwd: string, program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, cwd }).output();
  assert.ok(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

function append(path: string, text: string): Promise<void> {
  return Deno.writeTextFile(path, text, { append: true });
}

/** Every file with its size, git's index left out: `git status` refreshes it. */
async function filesBelow(root: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(root)) {
    const path = join(root, entry.name);
    if (entry.isDirectory) found.push(...await filesBelow(path));
    else if (!path.endsWith("/.git/index")) {
      found.push(`${path} ${(await Deno.stat(path)).size}`);
    }
  }
  return found.sort();
}
