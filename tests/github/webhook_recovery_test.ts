import assert from "node:assert/strict";
import { createGitHub } from "../../lib/github/client.ts";
import { parsePrivateKey } from "../../lib/github/from_config.ts";
import { GitHubRefusal, type HookDelivery } from "../../lib/github/github.ts";
import { hookMethods } from "../../lib/github/app.ts";
import type { Requests } from "../../lib/github/requests.ts";
import type { RoleContext } from "../../lib/runtime/role.ts";
import {
  foldDeliveries,
  planRecovery,
  recoverDeliveries,
  webhookRecovery,
} from "../../lib/github/webhook_recovery.ts";
import { startFakeGitHub } from "../../testing/fake_github/mod.ts";
import type { FakeDelivery } from "../../testing/fake_github/state.ts";
import { captureLog } from "../support/log_capture.ts";

const START = Date.parse("2026-01-01T12:00:00Z");
const MINUTE = 60_000;
let lastId = 0;

function delivery(guid: string, ok: boolean, minute = 0, event = "pull_request"): HookDelivery {
  const deliveredAt = new Date(START + minute * MINUTE).toISOString();
  return { id: ++lastId, guid, event, ok, deliveredAt };
}

/** Guids that are redelivered and given up, `minutes` after the start. */
function plan(deliveries: HookDelivery[], minutes: number) {
  const { redeliver, giveUp } = planRecovery(
    foldDeliveries(new Map(), deliveries),
    START + minutes * MINUTE,
  );
  return [redeliver.map(({ guid }) => guid), giveUp.map(({ guid }) => guid)];
}

Deno.test("what failed and never arrived is redelivered, once a webhook", () => {
  const times = (count: number, guid: string) =>
    Array.from({ length: count }, (_, minute) => delivery(guid, false, minute));
  const cases: [name: string, HookDelivery[], minutes: number, string[], string[]][] = [
    ["arrived", [delivery("a", true)], 9, [], []],
    ["failed", [delivery("a", false)], 9, ["a"], []],
    ["a moment ago", [delivery("a", false)], 0.5, [], []],
    ["arrived later", [delivery("a", true, 3), delivery("a", false)], 9, [], []],
    ["failed twice", [delivery("a", false, 3), delivery("a", false)], 9, ["a"], []],
    ["the wait doubles", times(3, "a"), 5, [], []],
    ["the wait doubles and ends", times(3, "a"), 6, ["a"], []],
    ["eight times", times(8, "a"), 9_999, [], ["a"]],
    ["three days ago", [delivery("a", false)], 3 * 24 * 60 + 1, [], ["a"]],
    ["nobody consumes it", [delivery("a", false, 0, "star")], 9, [], []],
    ["longest waiting first", [delivery("b", false, 1), delivery("a", false)], 9, ["a", "b"], []],
  ];
  for (const [name, deliveries, minutes, redelivered, givenUp] of cases) {
    assert.deepEqual(plan(deliveries, minutes), [redelivered, givenUp], name);
  }
});

Deno.test("at most 100 webhooks are redelivered in one run", () => {
  const many = Array.from({ length: 250 }, (_, index) => delivery(`g${index}`, false));
  assert.equal(plan(many, 9)[0]?.length, 100);
});

Deno.test("failures of earlier runs are remembered until they arrive", () => {
  const first = foldDeliveries(new Map(), [delivery("a", false), delivery("b", false)]);
  const second = foldDeliveries(first, [delivery("a", true, 2)]);
  assert.deepEqual([...second.keys()], ["b"]);
  const seenAgain = foldDeliveries(
    second,
    [...second.values()].map(({ guid, lastId }) => ({
      ...delivery(guid, false),
      id: lastId,
    })),
  );
  assert.equal(seenAgain.get("b")?.ids.size, 1);
});

Deno.test("a receiver that was away gets what it missed, each webhook once", async () => {
  let now = START;
  const fake = await startFakeGitHub({ now: () => now });
  let up = false;
  const received: string[] = [];
  const receiver = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      await request.bytes();
      if (!up) return new Response("Broker unavailable", { status: 503 });
      received.push(request.headers.get("x-github-delivery")!);
      return new Response("Queued", { status: 202 });
    },
  );
  try {
    fake.setWebhook({ url: `http://127.0.0.1:${receiver.addr.port}/`, secret: "s" });
    const repo = fake.addRepository({ fullName: "acme/mono", cloneUrl: "http://git.test/" });
    for (let count = 0; count < 120; count++) {
      await repo.openPullRequest({ headSha: "a".repeat(40) });
    }
    await fake.deliver("star", { action: "created", repository: { id: repo.id } });
    up = true;
    await repo.comment(1, "@tickbot eval");
    const github = createGitHub({
      apiUrl: fake.url,
      appId: fake.app.id,
      privateKey: parsePrivateKey(fake.app.privateKey),
      now: () => now,
    });

    now += 5 * MINUTE;
    const first = await recoverDeliveries({ github, since: START, now, failures: new Map() });
    assert.equal(first.redeliver.length, 100);
    await fake.waitFor(() => received.length === 101, { what: "100 redeliveries" });

    now += 5 * MINUTE;
    fake.fail({ status: 502, times: 1, on: /attempts/ });
    const second = await recoverDeliveries({ github, since: START, now, ...first });
    assert.deepEqual([second.redeliver.length, second.failures.size], [0, 20]);

    now += 5 * MINUTE;
    const third = await recoverDeliveries({ github, since: START, now, ...second });
    assert.equal(third.redeliver.length, 20);
    await fake.waitFor(() => received.length === 121, { what: "the rest" });
    assert.equal(new Set(received).size, 121);

    now += 60 * MINUTE;
    const last = await recoverDeliveries({ github, since: START, now, ...third });
    assert.deepEqual([last.redeliver.length, last.failures.size], [0, 0]);
  } finally {
    await fake.close();
    await receiver.shutdown();
  }
});

Deno.test("a failure is found behind thousands of deliveries that came after it", async () => {
  const fake = await startFakeGitHub({ now: () => START });
  try {
    for (let id = 1; id <= 2_150; id++) {
      const deliveredAt = new Date(START + id).toISOString();
      const rest = { action: undefined, redelivery: false, answer: "", seconds: 0, body: "{}" };
      const kept = { ...rest, id, guid: `g${id}`, event: "push", repositoryId: undefined };
      (fake.deliveries as FakeDelivery[])
        .push({ ...kept, deliveredAt, statusCode: id === 1 ? 503 : 202 });
    }
    const { url: apiUrl, app: { id: appId, privateKey } } = fake;
    const github = createGitHub({ apiUrl, appId, privateKey: parsePrivateKey(privateKey) });
    const now = START + 5 * MINUTE;
    const { redeliver } = await recoverDeliveries({ github, since: 0, now, failures: new Map() });
    assert.deepEqual(redeliver.map(({ guid }) => guid), ["g1"]);
  } finally {
    await fake.close();
  }
});

Deno.test("a list of deliveries without end is left at a bound, and the log says so", async () => {
  const data = Array.from({ length: 100 }, (_, id) => ({
    id,
    guid: `g${id}`,
    event: "push",
    delivered_at: new Date(START).toISOString(),
    status_code: 202,
  }));
  let asked = 0;
  const transport = {
    asApp() {
      asked++;
      return Promise.resolve({ data, headers: { link: '<http://x/?cursor=1>; rel="next"' } });
    },
  };
  const { hookDeliveries } = hookMethods({ transport } as unknown as Requests);
  const { deliveries, complete } = await hookDeliveries(START);
  assert.deepEqual([asked, deliveries.length, complete], [200, 20_000, false]);
  const { log, text } = await captureLog();
  const github = () => ({ hookDeliveries });
  const context = { log, github, config: {}, now: () => START + MINUTE } as unknown as RoleContext;
  await webhookRecovery(context).run(new AbortController().signal);
  assert.match(text(), /^warning Skipped older webhook deliveries .*"looked":20000/);
});

Deno.test("what GitHub will not redeliver is given up and not found again", async () => {
  const failed = delivery("a", false);
  let asked = 0;
  const github = {
    hookDeliveries: () => Promise.resolve({ deliveries: [failed], complete: true }),
    redeliver: () => {
      asked++;
      return Promise.reject(new GitHubRefusal("Cannot redeliver: Not Found", 404));
    },
  };
  const run = { github, since: START, now: START + 9 * MINUTE, failures: new Map() };
  const { failures } = await recoverDeliveries(run);
  await recoverDeliveries({ ...run, now: START + 60 * MINUTE, failures });
  assert.equal(asked, 1);
});
