import assert from "node:assert/strict";
import examples from "@octokit/webhooks-examples" with { type: "json" };
import { getLogger } from "@logtape/logtape";
import type { Broker, Publication } from "../../lib/broker/broker.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { TransientFault } from "../../lib/errors.ts";
import { sign } from "../../lib/github/signature.ts";
import { serveEndpoint } from "../../lib/http.ts";
import { CONSUMED_EVENTS } from "../../lib/topology.ts";
import {
  createReceiver,
  createService,
  type ReceiverOptions,
  routingKey,
} from "../../services/github_webhook_receiver.ts";

const SECRET = "It's a secret to everybody";
const log = getLogger(["tickborg", "test"]);
const encoder = new TextEncoder();

/** A broker that keeps what is published, or fails as it is told. */
class RecordingBroker {
  readonly published: Publication[] = [];
  readonly timeouts: number[] = [];
  fail: Error | undefined;
  publish(publications: readonly Publication[], options: { timeoutMs?: number } = {}) {
    this.timeouts.push(options.timeoutMs ?? Infinity);
    if (this.fail) return Promise.reject(this.fail);
    this.published.push(...publications);
    return Promise.resolve();
  }
}

interface Receiver {
  readonly broker: RecordingBroker;
  readonly port: number;
  /** Sends a signed webhook; headers given replace those that GitHub sends, null leaves one out. */
  send(body: Uint8Array | string, headers?: Record<string, string | null>): Promise<Response>;
}

/** Runs a story with a receiver that listens. */
function story(
  name: string,
  tell: (receiver: Receiver) => Promise<void>,
  options: Partial<ReceiverOptions> = {},
): void {
  Deno.test(name, async () => {
    const broker = new RecordingBroker();
    const fetchWebhook = createReceiver({
      secret: SECRET,
      broker,
      log,
      now: Date.now,
      ...options,
    });
    const served = serveEndpoint({ name: "test", listen: "127.0.0.1:0", fetch: fetchWebhook }, {
      broker: broker as unknown as Broker,
      log,
    });
    const send = (body: Uint8Array | string, headers: Record<string, string | null> = {}) => {
      const bytes = typeof body === "string" ? encoder.encode(body) : new Uint8Array(body);
      const all: Record<string, string | null> = {
        "content-type": "application/json",
        "x-github-event": "pull_request",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": sign(bytes, SECRET),
        ...headers,
      };
      const given = Object.entries(all).filter((it): it is [string, string] => it[1] !== null);
      return fetch(`http://127.0.0.1:${served.port}/github-webhook`, {
        method: "POST",
        headers: given,
        body: bytes,
      });
    };
    try {
      await tell({ broker, port: served.port, send });
    } finally {
      await served.shutdown();
    }
  });
}

const PAYLOAD = '{"action":"opened","repository":{"full_name":"Acme/Mono.Repo"}}';

/** Asserts an answer's status and text. */
async function expect(response: Response, status: number, text: RegExp): Promise<void> {
  const body = await response.text();
  assert.equal(response.status, status, body);
  assert.match(body, text);
}

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

story("each mistake gets its own clear answer and publishes nothing", async (receiver) => {
  const { broker, send } = receiver;
  const good = sign(encoder.encode(PAYLOAD), SECRET);
  const cases: [name: string, headers: Record<string, string | null>, number, RegExp][] = [
    ["no signature", { "x-hub-signature-256": null }, 400, /^Signature missing/],
    [
      "an old signature",
      { "x-hub-signature-256": null, "x-hub-signature": "sha1=1" },
      400,
      /missing/,
    ],
    ["an empty signature", { "x-hub-signature-256": "" }, 400, /^Signature malformed/],
    [
      "another prefix",
      { "x-hub-signature-256": good.replace("sha256", "sha512") },
      400,
      /malformed/,
    ],
    ["an upper-case prefix", { "x-hub-signature-256": good.toUpperCase() }, 400, /malformed/],
    ["63 digits", { "x-hub-signature-256": good.slice(0, -1) }, 400, /malformed/],
    ["65 digits", { "x-hub-signature-256": `${good}0` }, 400, /malformed/],
    ["no digits", { "x-hub-signature-256": `sha256=${"g".repeat(64)}` }, 400, /malformed/],
    ["two signatures", { "x-hub-signature-256": `${good}, ${good}` }, 400, /malformed/],
    ["zeros", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }, 403, /^Signature wrong/],
    [
      "another secret's",
      { "x-hub-signature-256": sign(encoder.encode(PAYLOAD), "x") },
      403,
      /^Signature wrong/,
    ],
    ["no content type", { "content-type": null }, 400, /^Content-Type wrong/],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }, 400, /^Content-Type wrong/],
    ["a cousin of JSON", { "content-type": "application/jsonp" }, 400, /^Content-Type wrong/],
    ["no event", { "x-github-event": null }, 400, /^X-GitHub-Event/],
    ["an event with dots", { "x-github-event": "push.#" }, 400, /^X-GitHub-Event/],
    ["an endless event", { "x-github-event": "a".repeat(65) }, 400, /^X-GitHub-Event/],
  ];
  for (const [name, headers, status, text] of cases) {
    const response = await send(PAYLOAD, headers);
    const body = await response.text();
    assert.equal(response.status, status, `${name}: ${body}`);
    assert.match(body, text, name);
  }
  const bodies: [body: string | Uint8Array, event: string, text: RegExp][] = [
    ["", "push", /expected a JSON object/],
    ["{", "push", /expected a JSON object/],
    ["null", "push", /expected a JSON object/],
    ["[]", "push", /expected a JSON object/],
    ['"x"', "push", /expected a JSON object/],
    [new Uint8Array([0x7b, 0xff, 0x7d]), "push", /expected a JSON object/],
    ["{}", "push", /no repository.full_name/],
    ['{"repository":null}', "issue_comment", /no repository.full_name/],
    ['{"repository":{}}', "star", /no repository.full_name/],
    ['{"repository":{"full_name":7}}', "push", /no repository.full_name/],
    ['{"repository":{"full_name":"a/b/c"}}', "push", /no repository.full_name/],
    ['{"repository":{"full_name":"#.*/x y"}}', "push", /no repository.full_name/],
    [`{"repository":{"full_name":"a/${"b".repeat(250)}"}}`, "push", /no repository.full_name/],
  ];
  for (const [body, event, text] of bodies) {
    await expect(await send(body, { "x-github-event": event }), 400, text);
  }
  assert.deepEqual(broker.published, []);
});

story("the first check that fails answers", async ({ send }) => {
  const wrong = `sha256=${"0".repeat(64)}`;
  const everything = { "content-type": "text/plain", "x-github-event": null };
  await expect(await send("{", { ...everything, "x-hub-signature-256": "x" }), 400, /^Signature/);
  await expect(await send("{", { ...everything, "x-hub-signature-256": wrong }), 403, /^Signature/);
  await expect(await send("{", everything), 400, /^Content-Type/);
  await expect(await send("{", { "x-github-event": null }), 400, /^X-GitHub-Event/);
});

story("signature digits may be in upper case, JSON may name its charset", async ({ send }) => {
  const signature = sign(encoder.encode(PAYLOAD), SECRET);
  await expect(
    await send(PAYLOAD, {
      "x-hub-signature-256": `sha256=${signature.slice(7).toUpperCase()}`,
      "content-type": "application/json; charset=utf-8",
    }),
    202,
    /^Queued/,
  );
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
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-hub-signature-256": sign(body, SECRET),
    },
  });
  await expect(response, 202, /^Queued push/);
  assert.equal(broker.published.length, 1);
});

story("a body of 24 MB is taken whole, declared or chunked", async ({ port, broker, send }) => {
  const filler = "x".repeat(24 * 1024 * 1024);
  const text = PAYLOAD.replace("{", `{"filler":"${filler}",`);
  await expect(await send(text), 202, /^Queued/);
  const body = encoder.encode(text);
  const chunked = await fetch(`http://127.0.0.1:${port}/`, {
    method: "POST",
    body: new Blob([body]).stream(),
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-hub-signature-256": sign(body, SECRET),
    },
  });
  await expect(chunked, 202, /^Queued/);
  assert.deepEqual(broker.published.map((it) => it.body.byteLength), [body.length, body.length]);
});

story("a declared body of more than 25 MiB is refused before it is read", async ({ port }) => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 26214401\r\n\r\n";
  assert.match(await rawExchange(port, head), /^HTTP\/1\.1 413 [\s\S]*Body too large/);
});

story("a chunked body is refused as soon as it is more than 25 MiB", async ({ port, broker }) => {
  const megabyte = new Uint8Array(1024 * 1024);
  let sent = 0;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      sent++;
      controller.enqueue(megabyte);
      if (sent === 200) controller.close();
    },
  });
  const options = {
    method: "POST",
    body: endless,
    headers: { "content-type": "application/json" },
  };
  // Where the client is still sending when the answer comes, it may see the connection end instead.
  const response = await fetch(`http://127.0.0.1:${port}/`, options).catch(() => undefined);
  if (response) await expect(response, 413, /^Body too large/);
  assert.ok(sent < 200, `${sent} MB were read`);
  assert.deepEqual(broker.published, []);
});

story("a length that lies about a chunked body does not matter", async ({ port }) => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n";
  const answer = await rawExchange(port, `${head}Content-Length: 1\r\n\r\n2\r\n{}\r\n0\r\n\r\n`);
  assert.match(answer, /^HTTP\/1\.1 400 /);
});

story("slow bodies are given up", async ({ port, broker }) => {
  const head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
  const small = `${head}Content-Length: 100\r\n\r\n{`;
  assert.match(await rawExchange(port, small), /^HTTP\/1\.1 408 [\s\S]*Body too slow/);
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`;
  assert.match(await rawExchange(port, chunked), /^HTTP\/1\.1 408 [\s\S]*Body too slow/);
  assert.deepEqual(broker.published, []);
}, { bodyWithinMs: 200 });

story(
  "headers of hostile form end the connection or the request, not the role",
  async (receiver) => {
    const { port, send } = receiver;
    const heads = [
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
      `POST / HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: ${"a".repeat(100_000)}\r\n\r\n`,
      "POST / HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
      "\0\0\0\0",
    ];
    for (const head of heads) assert.doesNotMatch(await rawExchange(port, head), /^HTTP\/1\.1 2/);
    await expect(await send(PAYLOAD), 202, /^Queued/);
  },
  { bodyWithinMs: 200 },
);

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
    const headers = {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-hub-signature-256": sign(body, SECRET),
    };
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
      const broker = new RecordingBroker() as unknown as Broker;
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
    const headers = {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-hub-signature-256": sign(body, SECRET),
    };
    const request = new Request("http://x/", { method: "POST", body, headers });
    const response = await endpoint.fetch(request, {} as Deno.ServeHandlerInfo);
    await expect(response, 202, /^Queued/);
    await assert.rejects(service(`${file}.gone`), /webhook_secret_file: .*no such file/);
  } finally {
    await Deno.remove(file);
  }
});

/** Writes bytes to a connection and reads what comes back until the server closes it or has answered. */
async function rawExchange(port: number, text: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  let answer = "";
  try {
    await connection.write(bytes);
    const buffer = new Uint8Array(65_536);
    while (!/\r\n\r\n[\s\S]+/.test(answer)) {
      const size = await connection.read(buffer);
      if (size === null) break;
      answer += new TextDecoder("latin1").decode(buffer.subarray(0, size));
    }
  } catch {
    // A reset is one of the answers to hostile bytes.
  } finally {
    connection.close();
  }
  return answer;
}
