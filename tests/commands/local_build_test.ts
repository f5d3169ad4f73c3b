/** `tickborg local` builds: what changed and what depends on it, and what came of it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { toolTest } from "../builder/tools.ts";
import { filesBelow, gitIn, local, withMonorepo } from "./local.ts";
import { tickborg } from "./run.ts";
import { inFolder } from "../support/in_folder.ts";

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

toolTest("--json prints a report and nothing else on standard output", ["make"], async () => {
  await withMonorepo(async (monorepo) => {
    const head = await monorepo.commit("change", { "docs/index": "2\n" });
    const base = await monorepo.git("rev-parse", "main");
    const { code, out, err } = await local("--repo", monorepo.workTree, "--base", "main", "--json");
    assert.equal(code, 1, err);
    const report = JSON.parse(out);
    assert.equal(report.ok, false);
    assert.deepEqual([report.base, report.head, report.outcome], [base, head, "build"]);
    assert.deepEqual(
      report.builds.map((
        { project, status, step }: Record<string, string>,
      ) => [project, status, step]),
      [["docs", "Failure", "build"]],
    );
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
    const git = (...args: string[]) => gitIn(root, ...args);
    const copied = await new Deno.Command("cp", { args: ["-r", `${GOOGLETEST}/.`, root] }).output();
    assert.ok(copied.success);
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

function append(path: string, text: string): Promise<void> {
  return Deno.writeTextFile(path, text, { append: true });
}

toolTest(
  "a project whose list says `test` is tested, unless --build says not",
  ["make"],
  () =>
    withMonorepo(async (monorepo) => {
      const list = {
        test: true,
        projects: [
          { name: "lib", path: "lib", build_system: "Make" },
          { name: "app", path: "app", build_system: "Make", test: false },
        ],
      };
      await monorepo.commit("main", { ".tickborg.json": JSON.stringify(list) });
      const args = ["--repo", monorepo.workTree, "--base", "main", "lib", "app"];
      const { out } = await local(...args);
      assert.match(out, /^lib is tested$/m);
      assert.doesNotMatch(out, /app is tested/);
      assert.doesNotMatch(
        (await local("--build", "--dry-run", ...args)).out,
        /make check|-j\d+ check/,
      );
      assert.match((await local("--dry-run", ...args)).out, /check$/m);
    }),
);

toolTest(
  "--keep says where a build folder outside of the tree is",
  ["cmake", "ninja"],
  () =>
    withMonorepo((monorepo) =>
      inFolder(async (folder) => {
        const list = [{ name: "lib", path: "lib", build_system: "CMake" }];
        await monorepo.commit("main", {
          ".tickborg.json": JSON.stringify(list),
          "lib/CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\nproject(lib NONE)\n",
        });
        const args = ["local", "--repo", monorepo.workTree, "--base", "main", "--keep", "lib"];
        const { code, out } = await tickborg(args, { env: { TMPDIR: folder } });
        assert.equal(code, 0, out);
        const built = /^lib: built in (\S+)$/m.exec(out)![1]!;
        assert.ok((await Deno.stat(join(built, "CMakeCache.txt"))).isFile);
      })
    ),
);
