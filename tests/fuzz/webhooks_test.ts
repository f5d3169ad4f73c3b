/** Requests to the webhook receiver, mangled: refused with a 4xx, or accepted and then published once. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import examples from "@octokit/webhooks-examples" with { type: "json" };
import fc from "fast-check";
import { roleLogger } from "../../lib/runtime/log.ts";
import { createReceiver } from "../../services/github_webhook_receiver.ts";
import { hostileText, type Json, mutated, mutatedBytes } from "./arbitraries.ts";
import { RecordingBroker } from "../support/recording_broker.ts";
import { property } from "./property.ts";

const SECRET = "it's a secret";
const recorded = examples as unknown as { name: string; examples: Json[] }[];
const samples = ["push", "pull_request", "issue_comment", "ping", "installation", "star"]
  .flatMap((name) => recorded.find((entry) => entry.name === name)!.examples.slice(0, 2));

function sign(body: Uint8Array): string {
  return `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
}

/** A header's value as HTTP lets it through: Latin-1 without control characters. */
const headerValue = hostileText().map((text) =>
  text.slice(0, 4_000).replaceAll(/[^\x20-\x7e\xa0-\xff]/g, "?").trim()
);

const body = fc.oneof(
  {
    weight: 3,
    arbitrary: mutated(samples).map((it) => new TextEncoder().encode(JSON.stringify(it))),
  },
  { weight: 2, arbitrary: mutatedBytes(samples) },
  { weight: 1, arbitrary: hostileText().map((text) => new TextEncoder().encode(text)) },
);

const request = fc.record({
  body,
  method: fc.constantFrom("POST", "POST", "POST", "POST", "GET", "PUT"),
  signed: fc.boolean(),
  headers: fc.record({
    "x-github-event": fc.oneof(
      fc.constantFrom("push", "ping", "pull_request", "star"),
      headerValue,
    ),
    "x-github-delivery": fc.oneof(fc.uuid(), headerValue),
    "content-type": fc.oneof(fc.constant("application/json"), headerValue),
    "x-hub-signature-256": headerValue,
  }, { requiredKeys: [] }),
});

property("any request is refused, or accepted and published once", request, async (input) => {
  const broker = new RecordingBroker();
  const { published } = broker;
  const receive = createReceiver({
    secret: SECRET,
    broker,
    log: roleLogger("fuzz"),
    now: Date.now,
  });
  const headers = new Headers(input.headers as Record<string, string>);
  if (input.signed) headers.set("x-hub-signature-256", sign(input.body));
  const { method } = input;
  const withBody = method === "GET" ? {} : { body: input.body };
  const response = await receive(new Request("http://x/hook", { method, headers, ...withBody }));
  const text = await response.text();
  const accepted = response.status >= 200 && response.status < 300;
  assert.ok(accepted || (response.status >= 400 && response.status < 500), `${response.status}`);
  assert.ok(text.length < 200 && !text.includes(SECRET));
  if (!accepted) return assert.equal(published.length, 0, "A refused request was published");
  assert.ok(input.signed && method === "POST", "Accepted without a signature");
  const { repository } = JSON.parse(new TextDecoder().decode(input.body));
  assert.equal(published.length, repository == null ? 0 : 1, "published once, or for nobody");
  for (const { exchange, routingKey, body, headers } of published) {
    assert.equal(exchange, "github-events");
    assert.match(routingKey, /^[a-z0-9_]+(\.[a-z0-9._/-]+)?$/);
    assert.ok(routingKey.length <= 255);
    assert.deepEqual(new Uint8Array(body), input.body, "What is published is not what was signed");
    for (const value of Object.values(headers ?? {})) {
      assert.match(String(value), /^[A-Za-z0-9_-]{1,64}$/);
    }
  }
});
