/** Repositories that send webhooks and are not served are told, once each and not without end. */
import assert from "node:assert/strict";
import { UnservedRepositories } from "../../lib/github/unserved.ts";
import { unservedIn } from "../../lib/monitoring/fleet.ts";
import { captureLog } from "../support/log_capture.ts";
import { expect, log, PAYLOAD, SECRET, story } from "../support/receiver.ts";

function payload(fullName: string): string {
  return JSON.stringify({ action: "opened", repository: { full_name: fullName } });
}

const unserved = {
  repositories: new UnservedRepositories(["ACME/mono.repo"], log),
  identity: "laptop",
};

story(
  "a webhook of a repository that is not served goes on, and is told and counted",
  async (receiver) => {
    await expect(await receiver.send(PAYLOAD), 202, /^Queued pull_request for Acme\/Mono\.Repo\n$/);
    assert.equal(receiver.broker.published.length, 1);
    const answer =
      /^Queued pull_request for Acme\/New, which is not in runner\.repos: it is not built/;
    await expect(await receiver.send(payload("Acme/New")), 202, answer);
    const [, event, count] = receiver.broker.published;
    assert.equal(event!.routingKey, "pull_request.acme/new");
    assert.equal(count!.exchange, "stats");
    assert.deepEqual(JSON.parse(new TextDecoder().decode(count!.body)), {
      sender: "laptop",
      events: [{ "webhook-unserved": "acme/new" }],
    });
  },
  { secret: SECRET, unserved },
);

Deno.test("each repository is named once, and only so many of them", async () => {
  const { log, records } = await captureLog();
  const repositories = new UnservedRepositories(["a/served"], log);
  assert.equal(repositories.has("A/Served"), false);
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 500; n++) assert.equal(repositories.has(`a/${n}`), true);
    assert.equal(repositories.has("A/7"), true);
  }
  const named = records.map(({ properties }) => properties.repo);
  assert.equal(named.length, 101);
  assert.deepEqual(named.slice(0, 2), ["a/0", "a/1"]);
  assert.equal(named[100], undefined);
  assert.match(String(records[100]!.rawMessage), /from more repositories/);
});

Deno.test("what was counted is read from the metrics, whatever else stands there", () => {
  const metrics = `# HELP tickborg_webhook_unserved Webhooks
# TYPE tickborg_webhook_unserved counter
tickborg_webhook_unserved{instance="a",repository="acme/new"} 2
tickborg_webhook_unserved{instance="b",repository="acme/new"} 1
tickborg_webhook_unserved{instance="a",repository="acme/old"} 4
tickborg_job_received{instance="a"} 9
`;
  const found = unservedIn(metrics).map(({ repository, webhooks }) => [repository, webhooks]);
  assert.deepEqual(found, [["acme/new", 3], ["acme/old", 4]]);
  assert.deepEqual(unservedIn(""), []);
});
