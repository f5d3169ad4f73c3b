import assert from "node:assert/strict";
import { allowsLocal, checkCloneUrl, checkSha, isBranchName } from "../../lib/git/names.ts";

const branches: [name: string, allowed: boolean][] = [
  ["main", true],
  ["release/1.2", true],
  ["dependabot/npm_and_yarn/a-1.2.3", true],
  ["Ünïcödé/日本", true],
  ["a@b", true],
  ["", false],
  ["-x", false],
  ["--upload-pack=id", false],
  ["@", false],
  ["HEAD", false],
  ["a..b", false],
  ["a//b", false],
  ["/a", false],
  ["a/", false],
  ["a.", false],
  [".a", false],
  ["a/.b", false],
  ["a.lock", false],
  ["a.lock/b", false],
  ["a b", false],
  ["a~b", false],
  ["a^b", false],
  ["a:b", false],
  ["a?b", false],
  ["a*b", false],
  ["a[b", false],
  ["a\\b", false],
  ["a@{b", false],
  ["a\nb", false],
  ["a\0b", false],
  ["a".repeat(256), false],
];

Deno.test("branch names are those that git allows and that are no option", async () => {
  for (const [name, allowed] of branches) {
    assert.equal(isBranchName(name), allowed, JSON.stringify(name));
    // Git itself, where it can be given the name, does not expand it, and no length is the rule.
    if (["", "@", "HEAD"].includes(name) || name.includes("\0") || name.length > 255) continue;
    const { success } = await new Deno.Command("git", {
      args: ["check-ref-format", "--branch", name],
      stdout: "null",
      stderr: "null",
    }).output();
    assert.equal(success, allowed, `git says otherwise of ${JSON.stringify(name)}`);
  }
});

Deno.test("only a full lower-case hash is a hash", () => {
  assert.equal(checkSha("a".repeat(40)), "a".repeat(40));
  assert.equal(checkSha("0".repeat(64)), "0".repeat(64));
  for (const text of ["", "abc", "A".repeat(40), "--help", "a".repeat(41), `${"a".repeat(40)}\n`]) {
    assert.throws(() => checkSha(text), /not a full hash/);
  }
});

Deno.test("this machine's own disk may be fetched from only beside a GitHub of its own", () => {
  assert.equal(allowsLocal("http://127.0.0.1:8080"), true);
  assert.equal(allowsLocal("http://localhost:8080/api/v3"), true);
  assert.equal(allowsLocal("http://[::1]:1"), true);
  assert.equal(allowsLocal("https://api.github.com"), false);
  assert.equal(allowsLocal("https://127.0.0.1.evil.example"), false);
  assert.equal(checkCloneUrl("/srv/a.git", true), "/srv/a.git");
  assert.equal(checkCloneUrl("https://h/a.git", false), "https://h/a.git");
  assert.throws(() => checkCloneUrl("/srv/a.git", false), /a path on this machine/);
});

Deno.test("a password in an address is not shown in the refusal", () => {
  assert.throws(() => checkCloneUrl("https://u:secret@h/a", false), (error: Error) => {
    return !error.message.includes("secret");
  });
});
