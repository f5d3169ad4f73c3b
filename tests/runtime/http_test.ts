import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import type { BrokerState } from "../../lib/broker/broker.ts";
import { ConfigError, describeError } from "../../lib/common/errors.ts";
import { serveEndpoint } from "../../lib/runtime/http.ts";
import { VERSION } from "../../lib/common/version.ts";
import { RecordingBroker } from "../support/recording_broker.ts";

/** Sends bytes as they are and gives the first line of the answer. */
async function firstLine(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(request));
  let answer = "";
  for await (const text of connection.readable.pipeThrough(new TextDecoderStream())) {
    answer += text;
    if (answer.includes("\r\n")) break;
  }
  await writer.close().catch(() => {});
  return answer.split("\r\n")[0]!;
}

Deno.test("a request whose address is none is the sender's fault, and no endpoint sees it", async () => {
  const seen: string[] = [];
  const running = serveEndpoint({
    name: "test",
    listen: "127.0.0.1:0",
    fetch: (request) => {
      seen.push(new URL(request.url).pathname);
      return Promise.resolve(new Response("seen"));
    },
  }, { broker: new RecordingBroker(), log: getLogger(["test", "http"]) });
  try {
    for (const method of ["GET", "HEAD", "POST", "OPTIONS"]) {
      const rest = "Content-Length: 0\r\nConnection: close\r\n\r\n";
      for (const head of [`${method} / HTTP/1.1\r\nHost: [`, `${method} / HTTP/1.1\r\nHost: a b`]) {
        const line = await firstLine(running.port, `${head}\r\n${rest}`);
        assert.equal(line, "HTTP/1.1 400 Bad Request", head);
      }
    }
    const line = await firstLine(
      running.port,
      "GET http://[/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert.equal(line, "HTTP/1.1 400 Bad Request");
    assert.deepEqual(seen, []);
    const fine = "GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert.equal(await firstLine(running.port, fine), "HTTP/1.1 200 OK");
    assert.deepEqual(seen, ["/x"]);
  } finally {
    await running.shutdown();
  }
});

const STATES: [state: BrokerState, status: number][] = [
  ["connecting", 503],
  ["connected", 200],
  ["blocked", 503],
  ["closed", 503],
];

Deno.test("a role is well while its broker takes messages, in each form that is asked for", async () => {
  const broker = new RecordingBroker();
  const running = serveEndpoint({
    name: "test",
    listen: "127.0.0.1:0",
    fetch: () => assert.fail("the endpoint was asked"),
  }, { broker, log: getLogger(["test", "http"]) });
  const ask = (init: RequestInit = {}) => fetch(`http://127.0.0.1:${running.port}/health`, init);
  try {
    for (const [state, status] of STATES) {
      broker.state = state;
      const json = await ask();
      assert.deepEqual([json.status, await json.json()], [status, {
        status: status === 200 ? "ok" : "unavailable",
        broker: state,
        version: VERSION,
      }]);
      assert.equal(json.headers.get("cache-control"), "no-store");
      const accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
      const metrics = await ask({ headers: { accept } });
      assert.equal(metrics.status, status);
      assert.match(metrics.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
      const value = status === 200 ? 1 : 0;
      const text = await metrics.text();
      assert.ok(text.includes(`\ntickborg_broker_connected ${value}\n`), state);
      assert.ok(text.endsWith(`\ntickborg_build_info{version="${VERSION}"} 1\n`), state);
      const head = await ask({ method: "HEAD" });
      assert.deepEqual([head.status, await head.text()], [status, ""]);
    }
  } finally {
    await running.shutdown();
  }
});

Deno.test("an address that is taken is told by its name", () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listen = `127.0.0.1:${taken.addr.port}`;
  const endpoint = { name: "metrics", listen, fetch: () => new Response() };
  const options = { broker: new RecordingBroker(), log: getLogger(["test", "http"]) };
  assert.throws(() => serveEndpoint(endpoint, options), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, new RegExp(`^Cannot listen on ${listen} for metrics: `));
    assert.equal(describeError(error), error.message, "the reason stands in it once");
    return true;
  });
});
