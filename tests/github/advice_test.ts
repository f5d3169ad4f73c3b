/** GitHub's refusals say what to do, by GitHub's own words, and only some of them are final for a start. */
import assert from "node:assert/strict";
import { adviceFor } from "../../lib/github/advice.ts";
import { appLacks, NEEDED_PERMISSIONS } from "../../lib/github/app_needs.ts";
import { CONSUMED_EVENTS } from "../../lib/broker/topology.ts";

Deno.test("what to do follows from the status and the words", () => {
  const cases: [status: number, words: string, todo: RegExp | undefined, unknownApp: boolean][] = [
    [401, "A JSON web token could not be decoded", /private_key is not a key of the App/, true],
    [401, "'Issued at' claim ('iat') must be an Integer in the past", /clock is wrong/, true],
    [401, "'Expiration time' claim ('exp') is too far in the future", /clock is wrong/, true],
    [404, "Integration not found", /app_id is not an App on the server/, true],
    [401, "Integration not found", /app_id is not an App on the server/, true],
    [403, "Resource not accessible by integration", /lacks a permission/, false],
    [403, "This installation has been suspended", /unsuspend it/, false],
    [401, "Bad credentials", undefined, false],
    [404, "Not Found", undefined, false],
    [500, "A JSON web token could not be decoded", undefined, false],
  ];
  for (const [status, words, todo, unknownApp] of cases) {
    const advice = adviceFor(status, words);
    if (todo === undefined) assert.equal(advice, undefined, words);
    else assert.match(advice!.todo, todo);
    assert.equal(advice?.unknownApp ?? false, unknownApp, words);
  }
});

Deno.test("an App that may do more than it needs lacks nothing; each thing it lacks is a line", () => {
  const app = { name: "Bot", url: "https://github.com/apps/bot" };
  const events = [...CONSUMED_EVENTS, "star"];
  const permissions = { ...NEEDED_PERMISSIONS, contents: "write", metadata: "admin" };
  assert.deepEqual(appLacks({ ...app, permissions, events }), []);
  const { checks: _, ...fewer } = { ...permissions, issues: "read" };
  const lines = appLacks({ ...app, permissions: fewer, events: events.slice(1) });
  assert.equal(lines.length, 3);
  for (const [index, name] of ["checks: write", "issues: write", events[0]!].entries()) {
    assert.ok(lines[index]!.includes(name), lines[index]);
  }
});
