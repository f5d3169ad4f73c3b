/** Topic patterns: the rules of AMQP, and a matcher that no routing key can keep busy. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { route, topicMatches } from "../../lib/broker/routing.ts";
import { TOPOLOGY } from "../../lib/broker/topology.ts";
import { growth } from "../support/cost.ts";

Deno.test("patterns match word by word", () => {
  const cases: [pattern: string, key: string, matches: boolean][] = [
    ["", "", true],
    ["#", "", true],
    ["#", "a.b.c", true],
    ["*", "", false],
    ["*", "a", true],
    ["*", "a.b", false],
    ["a.*", "a", false],
    ["a.#", "a", true],
    ["a.#", "a.b.c", true],
    ["#.c", "a.b.c", true],
    ["#.c", "a.b", false],
    ["a.#.c", "a.c", true],
    ["a.#.c", "a.b.b.c", true],
    ["a.#.#.c", "a.c", true],
    ["*.#.*", "a", false],
    ["*.#.*", "a.b", true],
    ["#.b.#", "a.b.c.b", true],
    ["a.b", "a.b.c", false],
    ["a.*.c", "a..c", true],
  ];
  for (const [pattern, key, matches] of cases) {
    assert.equal(topicMatches(pattern, key), matches, `${pattern} and ${key}`);
  }
});

Deno.test("a pattern means what its regular expression means", () => {
  const word = fc.constantFrom("a", "b", "*", "#");
  fc.assert(fc.property(
    fc.array(word, { maxLength: 6 }),
    fc.array(fc.constantFrom("a", "b"), { maxLength: 8 }),
    (pattern, key) => {
      const source = pattern.map((part) =>
        part === "*" ? "[^.]+\\." : part === "#" ? "(?:[^.]+\\.)*" : `${part}\\.`
      ).join("");
      const expected = new RegExp(`^${source}$`).test(key.map((part) => `${part}.`).join(""));
      assert.equal(topicMatches(pattern.join("."), key.join(".")), expected);
    },
  ));
});

Deno.test("a routing key of a stranger cannot keep the matcher busy", async () => {
  const pattern = `${"#.a.".repeat(60)}b`;
  const times = await growth(5_000, (size) => {
    const key = `${"a.".repeat(size)}c`;
    for (let round = 0; round < 50; round++) assert.equal(topicMatches(pattern, key), false);
  });
  assert.ok(times < 9, `four times the words cost ${times.toFixed(1)} times as much`);
});

Deno.test("events of GitHub reach their filters, names with dots too", () => {
  for (const repository of ["acme/site", "project-tick/projecttick.org"]) {
    for (
      const [event, queue] of [
        ["pull_request", "mass-rebuild-check-inputs"],
        ["issue_comment", "build-inputs"],
        // Never to build-inputs: a Rust peer that reads it panics at them.
        ["pull_request_review", "tickborg.review-comments"],
        ["pull_request_review_comment", "tickborg.review-comments"],
        ["push", "push-build-inputs"],
        ["unknown", "github-events-unknown"],
      ]
    ) {
      const message = { exchange: "github-events", routingKey: `${event}.${repository}` };
      assert.deepEqual(route(TOPOLOGY, message), [queue]);
    }
  }
  assert.equal(route(TOPOLOGY, { exchange: "no-such", routingKey: "" }), undefined);
  assert.equal(route(TOPOLOGY, { exchange: "", routingKey: "no-such" }), undefined);
});
