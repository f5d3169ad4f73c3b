import assert from "node:assert/strict";
import { BodyBudget, MAX_WEBHOOK_BYTES, readWebhookBody } from "../../lib/github/webhook_body.ts";
import { TIMEOUT_MS } from "../../testing/waiting.ts";

/** A request whose body is sent in pieces, with or without a declared length. */
function request(pieces: number[], headers: Record<string, string> = {}): Request {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const size of pieces) controller.enqueue(new Uint8Array(size));
      controller.close();
    },
  });
  return new Request("http://x/", { method: "POST", body, headers });
}

Deno.test("all bodies under way hold a bounded number of bytes, and give them back", async () => {
  const budget = new BodyBudget(1_000_000);
  const options = { budget, timeoutMs: TIMEOUT_MS };
  const first = await readWebhookBody(request([400_000, 200_000]), options);
  assert.equal(typeof first === "string" ? first : first.byteLength, 600_000);
  assert.equal(await readWebhookBody(request([300_000, 300_000]), options), "busy");
  assert.equal(budget.held, 600_000);
  const small = request([200_000], { "content-length": "200000" });
  assert.ok(typeof await readWebhookBody(small, options) !== "string");
  const next = request([250_000], { "content-length": "250000" });
  assert.equal(await readWebhookBody(next, options), "busy");
  assert.equal(budget.held, 800_000);
});

Deno.test("bodies that are announced and do not come keep nobody else out", async () => {
  const budget = new BodyBudget(128 * 1024 * 1024);
  const idle = Array.from({ length: 1_000 }, () => {
    const headers = { "content-length": "262144" };
    return new Request("http://x/", { method: "POST", body: new ReadableStream(), headers });
  });
  const waiting = idle.map((it) => readWebhookBody(it, { budget, timeoutMs: 200 }));
  for (const size of [21_000, 262_144, 20 * 1024 * 1024]) {
    const honest = request([size], { "content-length": String(size) });
    const body = await readWebhookBody(honest, { budget, timeoutMs: TIMEOUT_MS });
    assert.equal(typeof body === "string" ? body : body.byteLength, size);
    budget.give(size);
  }
  assert.deepEqual([...new Set(await Promise.all(waiting))], ["too slow"]);
  assert.equal(budget.held, 0);
});

Deno.test("what is too large, too slow or broken holds nothing afterwards", async () => {
  const budget = new BodyBudget(100_000_000);
  const large = request(Array(26).fill(1024 * 1024));
  assert.equal(await readWebhookBody(large, { budget, timeoutMs: TIMEOUT_MS }), "too large");
  const length = { "content-length": String(MAX_WEBHOOK_BYTES + 1) };
  assert.equal(
    await readWebhookBody(request([1], length), { budget, timeoutMs: TIMEOUT_MS }),
    "too large",
  );
  for (const headers of [[], [["content-length", "10"]]] as [string, string][][]) {
    const never = new Request("http://x/", { method: "POST", body: new ReadableStream(), headers });
    assert.equal(await readWebhookBody(never, { budget, timeoutMs: 10 }), "too slow");
    const broken = new ReadableStream({
      start: (controller) => controller.error(new Error("reset")),
    });
    const ended = new Request("http://x/", { method: "POST", body: broken, headers });
    assert.equal(await readWebhookBody(ended, { budget, timeoutMs: TIMEOUT_MS }), "broken");
  }
  assert.equal(budget.held, 0);
});

Deno.test("a request without a body has an empty one", async () => {
  const options = { budget: new BodyBudget(10), timeoutMs: TIMEOUT_MS };
  const body = await readWebhookBody(new Request("http://x/", { method: "POST" }), options);
  assert.deepEqual(body, new Uint8Array());
});
