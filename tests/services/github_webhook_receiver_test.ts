import assert from "node:assert/strict";
import examples from "@octokit/webhooks-examples" with { type: "json" };
import { parseConfig } from "../../lib/config/config.ts";
import { TransientFault } from "../../lib/common/errors.ts";
import { CONSUMED_EVENTS } from "../../lib/broker/topology.ts";
import {
  createReceiver,
  createService,
  routingKey,
} from "../../services/github_webhook_receiver.ts";
import { expect, log, PAYLOAD, SECRET, signedHeaders, story } from "../support/receiver.ts";
import { RecordingBroker } from "../support/recording_broker.ts";

const encoder = new TextEncoder();

story("a webhook is published byte for byte under its repository's key", async (receiver) => {
  const body = ` ${PAYLOAD.replace("opened", "ö")}\n`;
  await expect(await receiver.send(body), 202, /^Queued pull_request for Acme\/Mono.Repo\n$/);
  const [message, ...others] = receiver.broker.published;
  assert.deepEqual(others, []);
  assert.equal(message?.exchange, "github-events");
  assert.equal(message.routingKey, "pull_request.acme/mono.repo");
  assert.deepEqual(new TextDecoder().decode(message.body), body);
  assert.deepEqual(message.headers, {
    "x-github-event": "pull_request",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
  });
});

story("every recorded payload of GitHub's is taken", async ({ broker, send }) => {
  // deno-lint-ignore no-explicit-any
  for (const { name, examples: payloads } of examples as any[]) {
    for (const payload of payloads) {
      const before = broker.published.length;
      const response = await send(JSON.stringify(payload), { "x-github-event": name });
      const text = await response.text();
      const fullName = payload.repository?.full_name?.toLowerCase();
      const published = broker.published.slice(before).map((it) => it.routingKey);
      if (fullName === undefined) {
        assert.deepEqual([response.status, published], [name === "ping" ? 200 : 202, []], text);
        continue;
      }
      const prefix = CONSUMED_EVENTS.has(name) ? name : "unknown";
      assert.equal(response.status, 202, text);
      assert.deepEqual(published, [`${prefix}.${fullName}`]);
    }
  }
  assert.ok(broker.published.length > 200);
});

story("pings and events without a repository are accepted, not published", async (receiver) => {
  const { broker, send } = receiver;
  await expect(await send('{"zen":"x"}', { "x-github-event": "ping" }), 200, /^Pong/);
  await expect(await send("{}", { "x-github-event": "installation" }), 202, /^Nothing to do/);
  assert.deepEqual(broker.published, []);
});

story("a delivery id that is none is left out", async ({ broker, send }) => {
  for (const id of [null, "a b", "x".repeat(65), "<script>"]) {
    await expect(await send(PAYLOAD, { "x-github-delivery": id }), 202, /^Queued/);
  }
  for (const { headers } of broker.published) {
    assert.deepEqual(headers, { "x-github-event": "pull_request" });
  }
});

story("only POST is taken, and the path does not matter", async ({ port, broker }) => {
  for (const method of ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const response = await fetch(`http://127.0.0.1:${port}/`, { method });
    await expect(response, 405, /^Method not allowed/);
    assert.equal(response.headers.get("allow"), "POST");
  }
  const body = encoder.encode(PAYLOAD);
  const response = await fetch(`http://127.0.0.1:${port}/any/where?x=1`, {
    method: "POST",
    body,
    headers: signedHeaders(body),
  });
  await expect(response, 202, /^Queued push/);
  assert.equal(broker.published.length, 1);
});

story(
  "a broker that is away makes the delivery fail, so that it can be redelivered",
  async (it) => {
    it.broker.fail = new TransientFault("Cannot publish: not confirmed in time");
    await expect(await it.send(PAYLOAD), 503, /^Broker unavailable/);
    it.broker.fail = undefined;
    await expect(await it.send(PAYLOAD), 202, /^Queued/);
  },
);

story("a bug while publishing is no acceptance either", async ({ broker, send }) => {
  broker.fail = new TypeError("Cannot read properties of undefined");
  await expect(await send(PAYLOAD), 500, /^Internal error/);
});

Deno.test("the broker is given what is left of GitHub's 10 seconds", async () => {
  const broker = new RecordingBroker();
  for (const [bodyTook, expected] of [[0, 9_000], [3_000, 6_000], [8_900, 1_000]] as const) {
    const times = [0, bodyTook];
    const receive = createReceiver({ secret: SECRET, broker, log, now: () => times.shift()! });
    const body = encoder.encode(PAYLOAD);
    const headers = signedHeaders(body);
    await receive(new Request("http://x/", { method: "POST", body, headers }));
    assert.equal(broker.timeouts.pop(), expected);
  }
});

Deno.test("routing keys", () => {
  const cases = [
    ["push", "Acme/Mono", "push.acme/mono"],
    ["issue_comment", "a/b.c", "issue_comment.a/b.c"],
    ["check_run", "a/b", "unknown.a/b"],
    ["ping", undefined, undefined],
  ] as const;
  for (const [event, fullName, expected] of cases) {
    assert.equal(routingKey({ event, fullName }), expected);
  }
});

Deno.test("the secret is a file's content without its newline, and its absence is told", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, `${SECRET}\n`);
    const service = (path: string) => {
      const broker = new RecordingBroker();
      const config = parseConfig({
        github_webhook_receiver: { webhook_secret_file: path, listen: "127.0.0.1:0" },
        runner: { identity: "test", repos: [] },
      });
      const newId = () => crypto.randomUUID();
      const github = () => assert.fail("the receiver does not speak to GitHub");
      const role = "github-webhook-receiver";
      return createService({ role, config, broker, log, now: Date.now, newId, github });
    };
    const { endpoints: [endpoint] = [] } = await service(file);
    assert.equal(endpoint?.listen, "127.0.0.1:0");
    const body = encoder.encode(PAYLOAD);
    const headers = signedHeaders(body);
    const request = new Request("http://x/", { method: "POST", body, headers });
    const response = await endpoint.fetch(request, {} as Deno.ServeHandlerInfo);
    await expect(response, 202, /^Queued/);
    await assert.rejects(service(`${file}.gone`), /webhook_secret_file: .*no such file/);
  } finally {
    await Deno.remove(file);
  }
});
