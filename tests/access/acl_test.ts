import assert from "node:assert/strict";
import { isTrusted, servesRepo, systemsFor } from "../../lib/access/acl.ts";
import { parseConfig } from "../../lib/config/config.ts";
import type { System } from "../../lib/messages/systems.ts";

const config = parseConfig({
  runner: { identity: "test", repos: ["Acme/Web.js"], trusted_users: ["Ada"] },
  github: {
    systems: ["x86_64-linux", "aarch64-linux", "x86_64-darwin"],
    untrusted_systems: ["x86_64-linux"],
  },
});

Deno.test("a repository is ours in any case, and as a whole", () => {
  assert.equal(servesRepo(config, "acme/WEB.JS"), true);
  assert.equal(servesRepo(config, "acme/webxjs"), false);
  assert.equal(servesRepo(config, "evil/acme/web.js"), false);
  assert.equal(servesRepo(config, "acme/web.js2"), false);
});

const people: [user: string, permission: string, trusted: boolean][] = [
  ["ada", "none", true],
  ["ADA", "none", true],
  ["bob", "none", false],
  ["bob", "read", false],
  ["bob", "write", true],
  ["bob", "maintain", true],
  ["bob", "admin", true],
  ["", "none", false],
];

Deno.test("who is listed or may push is trusted", async () => {
  for (const [user, permission, trusted] of people) {
    assert.equal(await isTrusted(config, user, () => Promise.resolve(permission)), trusted, user);
  }
});

Deno.test("GitHub is not asked about people who are listed", async () => {
  assert.equal(await isTrusted(config, "Ada", () => Promise.reject(new Error("asked"))), true);
});

Deno.test("with disable_trusted_users everybody is trusted, as in the Rust bot", async () => {
  const open = parseConfig({ runner: { ...config.runner, disable_trusted_users: true } });
  assert.equal(await isTrusted(open, "bob", () => Promise.resolve("none")), true);
});

const systems: [what: string, request: Parameters<typeof systemsFor>[1], expected: System[]][] = [
  ["a trusted person", { project: {}, trusted: true }, [
    "x86_64-linux",
    "aarch64-linux",
    "x86_64-darwin",
  ]],
  ["a stranger", { project: {}, trusted: false }, ["x86_64-linux"]],
  ["a project of two systems, one of them unserved", {
    project: { systems: ["x86_64-windows", "x86_64-darwin"] },
    trusted: true,
  }, ["x86_64-darwin"]],
  [
    "a project strangers may not build",
    { project: { systems: ["x86_64-darwin"] }, trusted: false },
    [],
  ],
  ["a project that is built nowhere", { project: { systems: [] }, trusted: true }, []],
  ["a choice", { project: {}, trusted: true, wanted: ["x86_64-darwin"] }, ["x86_64-darwin"]],
  ["no choice", { project: {}, trusted: true, wanted: [] }, [...config.github.systems]],
  ["a stranger's choice", { project: {}, trusted: false, wanted: ["x86_64-darwin"] }, []],
];

for (const [what, request, expected] of systems) {
  Deno.test(`systems for ${what}`, () => {
    assert.deepEqual(systemsFor(config, request), expected);
  });
}
