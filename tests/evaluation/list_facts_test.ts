/** What a branch makes of the project list, seen in real repositories. */
import assert from "node:assert/strict";
import { gatherBranchFacts } from "../../lib/evaluation/branch_facts.ts";
import { Projects } from "../../lib/config/project.ts";
import { GitRepository } from "../../lib/git/repository.ts";
import { TestRepository } from "../support/git_repository.ts";

const FILE = ".tickborg.json";
const core = { name: "core", path: "core", build_system: "Make" };
const files = { "core/a": "1\n", "docs/a.md": "1\n", "libs/core/a": "1\n", "README.md": "1\n" };

type Edit = (repository: TestRepository) => Promise<unknown>;
interface Story {
  readonly base?: Edit;
  readonly head: Edit;
  readonly fallback?: unknown;
}

/** Writes the list, laid out so that places are seen. */
function list(projects: unknown[], labels: unknown[] = []): Edit {
  return (repository) =>
    repository.commit("list", { [FILE]: JSON.stringify({ projects, labels }, null, 1) });
}

async function factsOf({ base = list([core]), head, fallback }: Story) {
  await using repository = await TestRepository.make(files);
  await base(repository);
  const baseSha = await repository.head();
  await repository.checkout("topic", "main");
  await head(repository);
  const facts = await gatherBranchFacts(new GitRepository(`${repository.path}/.git`), {
    base: baseSha,
    head: await repository.head(),
    fallback: fallback === undefined ? undefined : Projects.parse(fallback),
  });
  return { ...facts, mistakes: facts.merged!.mistakes, old: facts.oldMistakes! };
}

/** Puts a symbolic link in a path's place. */
function link(path: string, target: string): Edit {
  return async (repository) => {
    await Deno.remove(`${repository.path}/${path}`, { recursive: true }).catch(() => {});
    await Deno.symlink(target, `${repository.path}/${path}`);
    await repository.commit("link");
  };
}

const inTurn = (...edits: Edit[]): Edit => async (repository) => {
  for (const edit of edits) await edit(repository);
};

const wrong: [what: string, head: Edit, told: RegExp][] = [
  [
    "a path that is not there",
    list([core, { ...core, name: "new", path: "nwe" }]),
    /^line 10, column 12, project new: the path nwe is not in the repository$/,
  ],
  [
    "a path in another case",
    list([core, { ...core, name: "new", path: "Docs" }]),
    /project new: the path Docs is not in the repository; did you mean docs\?$/,
  ],
  [
    "a misspelt path in a folder",
    list([core, { ...core, name: "new", path: "libs/croe" }]),
    /the path libs\/croe is not in the repository; did you mean libs\/core\?$/,
  ],
  [
    "a path that is a file",
    list([core, { ...core, name: "new", path: "README.md" }]),
    /project new: the path README\.md is a file, not a folder$/,
  ],
  [
    "a path that is a link",
    inTurn(link("way", "docs"), list([core, { ...core, name: "new", path: "way" }])),
    /project new: the path way is a symbolic link; name the folder it leads to$/,
  ],
  [
    "a path through a link",
    inTurn(link("way", "."), list([core, { ...core, name: "new", path: "way/docs" }])),
    /project new: the path way\/docs leads through a symbolic link, way$/,
  ],
  [
    "a label of no path",
    list([core], [{ name: "docs", paths: ["doc", "docs"] }]),
    /^line 13, column 5, label docs: the pattern "doc" can match nothing: doc is not in the repository$/,
  ],
  [
    "a label of no folder",
    list([core], [{ name: "docs", paths: ["dcos/**/*.md"] }]),
    /dcos is not in/,
  ],
  ["a link in the list's place", link(FILE, "core/a"), /^a symbolic link is not followed/],
  [
    "a folder in the list's place",
    (repository) =>
      repository.commit("x", { [FILE]: null }).then(() =>
        repository.commit("y", { [`${FILE}/a`]: "x\n" })
      ),
    /^a folder stands there, expected a file$/,
  ],
  [
    "the list under another name",
    async (repository) => {
      await repository.git("mv", FILE, ".Tickborg.json");
      await repository.commit("move");
    },
    /^\.Tickborg\.json is not read; put the list into \.tickborg\.json, as JSON$/,
  ],
  [
    "no list any more",
    (repository) => repository.commit("x", { [FILE]: null }),
    /^\.tickborg\.json is removed, and the configuration lists no projects$/,
  ],
  [
    "no JSON",
    (repository) => repository.commit("x", { [FILE]: "[1,]\n" }),
    /^line 1, column 3: not/,
  ],
  [
    "a folder that becomes a file",
    async (repository) => {
      await Deno.remove(`${repository.path}/core`, { recursive: true });
      await repository.commit("x", { core: "x\n" });
    },
    /project core: the path core is a file, not a folder$/,
  ],
  [
    "a folder that becomes a link",
    link("core", "docs"),
    /project core: the path core is a symbolic/,
  ],
  [
    "a folder that is gone",
    (repository) => repository.commit("x", { "core/a": null }),
    /project core: the path core is not in the repository$/,
  ],
];

for (const [what, head, told] of wrong) {
  Deno.test(`a branch that leaves ${what} is told so`, async () => {
    const { mistakes, old } = await factsOf({ head });
    assert.equal(mistakes.length, 1, mistakes.join("\n"));
    assert.match(mistakes[0]!, told);
    assert.deepEqual(old, []);
  });
}

Deno.test("what is right is no mistake: submodules, the root, wildcards, patterns that were there", async () => {
  const old = [{ name: "docs", paths: ["gone"] }];
  const projects = [
    core,
    { ...core, name: "root", path: "." },
    { ...core, name: "deep", path: "core/x" },
    { ...core, name: "inside", path: "sub/lib" },
    { ...core, name: "sub", path: "sub" },
  ];
  const labels = [...old, { name: "md", paths: ["**/*.md", "/docs/", "{docs,wiki}/*.txt"] }];
  const { mistakes } = await factsOf({
    base: list([core], old),
    head: async (repository) => {
      const commit = await repository.head();
      await repository.git("update-index", "--add", "--cacheinfo", `160000,${commit},sub`);
      await repository.git("commit", "-qm", "submodule");
      await Deno.mkdir(`${repository.path}/sub`);
      await repository.commit("x", { "core/x/a": "1\n" });
      await list(projects, labels)(repository);
    },
  });
  assert.deepEqual(mistakes, []);
});

Deno.test("what the base has wrong already is told as such, and is no mistake of others", async () => {
  const near = list([core, { ...core, name: "new", path: "doc" }]);
  const stranger = await factsOf({ base: near, head: (it) => it.commit("x", { "docs/b": "2\n" }) });
  assert.deepEqual(stranger.mistakes, []);
  assert.match(stranger.old.join(), /project new: the path doc is not in the repository$/);
  const base = list([core, { ...core, name: "new", path: "nwe" }]);
  const other = await factsOf({ base, head: (it) => it.commit("x", { "docs/a.md": "2\n" }) });
  assert.equal(other.list.kind, "list");
  assert.deepEqual(other.mistakes, []);
  assert.match(other.old.join(), /project new: the path nwe is not in the repository$/);
  const touching = await factsOf({
    base,
    head: list([core, { ...core, name: "new", path: "nwe", labels: ["x"] }]),
  });
  assert.match(touching.mistakes.join(), /nwe is not in the repository/);
  const withCacheRepair = await factsOf({
    base,
    head: list([core, { ...core, name: "new", path: "docs" }]),
  });
  assert.deepEqual(withCacheRepair.mistakes, []);
  assert.match(withCacheRepair.old.join(), /nwe is not in the repository/);
});

Deno.test("a file of a like name is told, and counts where nothing else lists projects", async () => {
  const base: Edit = (it) => it.commit("x", { ".tickborg.yml": "projects: []\n" });
  const head: Edit = (it) => it.commit("x", { "core/a": "2\n" });
  const alone = await factsOf({ base, head });
  assert.equal(alone.list.kind, "invalid");
  const configured = await factsOf({ base, head, fallback: [core] });
  assert.equal(configured.list.kind, "list");
  assert.match(configured.old.join(), /^\.tickborg\.yml is not read/);
  assert.deepEqual(configured.mistakes, []);
});

Deno.test("the configuration's list is looked at as a file's is", async () => {
  const fallback = [core, { ...core, name: "new", path: "nwe", depends_on: ["new"] }];
  const facts = await factsOf({
    base: (it) => it.commit("x"),
    head: (it) => it.commit("x", { "core/a": "2\n" }),
    fallback,
  });
  assert.deepEqual(facts.old, [
    "the configuration, project new: new depends on itself",
    "the configuration, project new: the path nwe is not in the repository",
  ]);
  assert.deepEqual(facts.mistakes, []);
});

Deno.test("paths that git would take for a pattern are paths, and many are looked up", async () => {
  const projects = Array.from({ length: 1_999 }, (_, index) => ({
    ...core,
    name: `p${index}`,
    path: `core/${"x".repeat(200)}/${index}`,
  }));
  const { mistakes } = await factsOf({
    head: list([...projects, { ...core, path: ":(icase)CORE" }]),
  });
  assert.equal(mistakes.length, 101);
  assert.equal(mistakes.at(-1), "and 1900 more");
});
