/** Branches, addresses, hashes and project lists from outside: what passes the checks is harmless. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { UnsafeGitName } from "../../lib/git/names.ts";
import { checkBranch, checkCloneUrl, checkSha, isBranchName } from "../../lib/git/names.ts";
import { compilePatterns, patternMistake } from "../../lib/projects/patterns.ts";
import {
  readProjectList,
  scopesOf,
  touchedProjects,
  usableList,
} from "../../lib/projects/projects.ts";
import { encode } from "../../lib/messages/codec.ts";
import { HOSTILE_TEXTS, hostileText, type Json, mutated, mutatedBytes } from "./arbitraries.ts";
import { property } from "./property.ts";

property("a branch name that passes is one for git and no option", hostileText(), (name) => {
  let passed: string;
  try {
    passed = checkBranch(name);
  } catch (error) {
    assert.ok(error instanceof UnsafeGitName);
    assert.ok(error.message.length < 600);
    return;
  }
  assert.ok(!passed.startsWith("-") && !passed.includes(".."), passed);
  assert.ok(passed.split("/").every((part) => part !== "" && !part.startsWith(".")), passed);
});

Deno.test("git itself allows every branch name that passes", async () => {
  const names = fc.sample(hostileText(), { numRuns: 400, seed: 1 })
    .concat(HOSTILE_TEXTS, HOSTILE_TEXTS.map((text) => `release/${text}`))
    .filter(isBranchName).filter((name) => name.isWellFormed());
  assert.ok(names.length > 20);
  for (const name of new Set(names)) {
    const { success } = await new Deno.Command("git", {
      args: ["check-ref-format", "--branch", name],
      stdout: "null",
      stderr: "null",
    }).output();
    assert.ok(success, `git refuses ${JSON.stringify(name)}`);
  }
});

property("a clone address that passes is http without a password", hostileText(), (text) => {
  for (const url of [text, `https://${text}`, `https://example.com/${text}`]) {
    let passed: string;
    try {
      passed = checkCloneUrl(url, false);
    } catch (error) {
      assert.ok(error instanceof UnsafeGitName);
      continue;
    }
    assert.match(passed, /^https?:/i);
    const { username, password } = new URL(passed);
    assert.equal(username + password, "");
    // deno-lint-ignore no-control-regex
    assert.ok(!/[\x00-\x20]/.test(passed));
  }
});

property("a commit that passes is a full hash", hostileText(), (text) => {
  try {
    assert.match(checkSha(text), /^[0-9a-f]{40,64}$/);
  } catch (error) {
    assert.ok(error instanceof UnsafeGitName);
  }
});

const LISTS: Json[] = [
  {
    projects: [
      { name: "cmark", path: "libs/cmark", build_system: "CMake", labels: ["c"] },
      {
        name: "ui",
        path: "ui",
        build_system: { Custom: { command: "true" } },
        depends_on: ["cmark"],
      },
    ],
    labels: [{ name: "docs", paths: ["docs/**"], titles: ["docs"] }],
  },
  [{ name: "all", path: ".", build_system: "Make", systems: ["x86_64-linux"] }],
];

function assertList(body: Uint8Array): void {
  const read = readProjectList(body, undefined);
  if (read.kind === "invalid") {
    const told = read.mistakes?.() ?? [read.reason];
    assert.ok(told.length > 0 && told.length <= 101, `${told.length} mistakes`);
    // deno-lint-ignore no-control-regex
    for (const line of told) assert.ok(line.length <= 600 && !/[\x00-\x1f\x7f]/.test(line), line);
  }
  const list = usableList(read);
  if (list.kind !== "list") return;
  for (const { path } of list.projects) {
    assert.ok(!path.startsWith("/") && !path.split("/").includes(".."), path);
  }
  const files = HOSTILE_TEXTS.flatMap((text) => [text, `libs/cmark/${text}`]);
  const touched = touchedProjects({ files, subjects: HOSTILE_TEXTS }, list.projects);
  assert.ok(touched.projects.length <= list.projects.length);
}

property(
  "a mangled .tickborg.json is a list or invalid",
  mutated(LISTS),
  (v) => assertList(encode(v)),
);
property(".tickborg.json with bytes changed is a list or invalid", mutatedBytes(LISTS), assertList);

property("any pattern is refused or matches any path without a hang", hostileText(), (pattern) => {
  for (const text of [pattern, `**/${pattern}*[${pattern}]?`, `{${pattern},a}/*`]) {
    const match = compilePatterns([text]);
    for (const path of HOSTILE_TEXTS) {
      const found = match(path.split("/"));
      if (patternMistake(text) !== undefined) assert.equal(found, false);
    }
  }
});

property("scopes of any subject are found without a hang", hostileText(), (subject) => {
  for (const text of [subject, `feat(${subject}): x`, `(${subject}`.repeat(50)]) {
    for (const scope of scopesOf(text)) assert.ok(scope.length <= 200);
  }
});
