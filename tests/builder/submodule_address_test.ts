import assert from "node:assert/strict";
import { submoduleAddress } from "../../lib/builder/checkout/submodule_address.ts";

const BASE = "https://git.example.org:8443/team/app.git";
const table: [address: string, expected: string, base?: string][] = [
  ["../lib.git", "https://git.example.org:8443/team/lib.git"],
  ["./lib.git", "https://git.example.org:8443/team/app.git/lib.git"],
  ["../../other/lib", "https://git.example.org:8443/other/lib"],
  ["../lib.git", "https://github.com/team/lib.git", "git@github.com:team/app.git"],
  ["git@git.example.org:team/lib.git", "https://git.example.org:8443/team/lib.git"],
  ["git@GIT.example.org:/team/lib.git", "https://git.example.org:8443/team/lib.git"],
  ["git.example.org:team/lib.git", "https://git.example.org:8443/team/lib.git"],
  ["ssh://git@git.example.org/team/lib.git", "https://git.example.org:8443/team/lib.git"],
  ["ssh://git@git.example.org:2222/team/lib", "https://git.example.org:8443/team/lib"],
  ["ssh://git@ssh.git.example.org:443/team/lib", "https://git.example.org:8443/team/lib"],
  ["git+ssh://git@git.example.org/team/lib", "https://git.example.org:8443/team/lib"],
  ["git://git.example.org/team/lib", "https://git.example.org:8443/team/lib"],
  ["git@github.com:o/r.git", "https://github.com/o/r.git"],
  ["ssh://github.com/o/r.git", "https://github.com/o/r.git"],
  ["https://bot@github.com/o/r.git", "https://github.com/o/r.git"],
  ["git@127.0.0.1:o/r.git", "http://127.0.0.1:8080/o/r.git", "http://127.0.0.1:8080/a/b"],
  // Refused later, as they are.
  ["https://bot:secret@github.com/o/r.git", "https://bot:secret@github.com/o/r.git"],
  ["file:///etc", "file:///etc"],
  ["/etc", "/etc"],
  ["C:/repo", "C:/repo"],
  ["ext::sh -c id", "ext::sh -c id"],
  ["-oProxyCommand=x:y", "-oProxyCommand=x:y"],
];

for (const [address, expected, base = BASE] of table) {
  Deno.test(`a submodule at ${address} of ${base} is fetched from ${expected}`, () => {
    assert.equal(submoduleAddress(address, base), expected);
  });
}

Deno.test("without an address of its own, a repository has relative submodules nowhere", () => {
  assert.equal(submoduleAddress("../lib.git", undefined), "../lib.git");
  assert.equal(submoduleAddress("git@github.com:o/r", undefined), "https://github.com/o/r");
});
