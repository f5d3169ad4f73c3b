/** `dead-letters`, run as an operator runs it, on both brokers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { ack, type Broker } from "../../lib/broker/broker.ts";
import { jsonText, shown } from "../../lib/broker/dead_letters.ts";
import { openBroker } from "../../lib/broker/open.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import { freePort } from "../../testing/ports.ts";
import { openInbox } from "../support/inbox.ts";
import { until } from "../../testing/waiting.ts";
import { type RabbitMqServer, startRabbitMq, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { tickborg } from "./run.ts";
import { inFolder } from "../support/in_folder.ts";

const log = getLogger(["tickborg", "test"]);
let server: RabbitMqServer | undefined;

Deno.test.afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

/** A folder with a configuration, and its broker. */
interface DeadLetterHarness extends AsyncDisposable {
  /** Does something over the broker; nothing else has it open meanwhile. */
  with<Result>(work: (broker: Broker) => Promise<Result>): Promise<Result>;
  /** Runs the command. */
  run(...args: string[]): Promise<{ code: number; out: string; err: string }>;
}

async function openHarness(kind: "embedded" | "RabbitMQ"): Promise<DeadLetterHarness> {
  const folder = await Deno.makeTempDir({ prefix: "tickborg-dead-letters-" });
  const file: Record<string, unknown> = {
    runner: { identity: "test", repos: [] },
    embedded_broker: { path: join(folder, "broker.sqlite") },
  };
  if (kind === "RabbitMQ") {
    server ??= await startRabbitMq();
    const { name, host, port, username, password } = await server.vhost();
    await Deno.writeTextFile(join(folder, "password"), `${password}\n`);
    const password_file = join(folder, "password");
    file.rabbitmq = { host: `${host}:${port}`, virtualhost: name, username, password_file };
  }
  const config = join(folder, "config.json");
  await Deno.writeTextFile(config, JSON.stringify(file));
  return {
    async with(work) {
      const broker = await openBroker(parseConfig(file), "runner", {
        log,
        embedded: kind === "embedded",
      });
      try {
        return await work(broker);
      } finally {
        await broker.close();
      }
    },
    async run(...args) {
      const main = new URL("../../main.ts", import.meta.url).pathname;
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", main, "dead-letters", ...args, "--config", config],
        env: { NO_COLOR: "1", TICKBORG_LOG: "warn" },
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, out: text(stdout), err: text(stderr) };
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const HOSTILE = "bad \u001b]0;title\u0007 \u202etxt";

/** Makes dead letters: two of one queue, one of another. */
async function bury(broker: Broker): Promise<void> {
  await broker.publish([
    {
      exchange: "github-events",
      routingKey: "pull_request.acme/site.org",
      body: new TextEncoder().encode('{"action":"\\u001b[31mopened"}'),
      headers: { "x-github-delivery": "72d3162e" },
    },
    { exchange: "", routingKey: QUEUE.evaluationFilter, body: new Uint8Array([0xff, 0x00]) },
    { exchange: "", routingKey: QUEUE.stats, body: new TextEncoder().encode("plain") },
  ]);
  await using events = await openInbox(broker, QUEUE.evaluationFilter, { prefetch: 1 });
  for (const reason of [HOSTILE, "Cannot read message: not UTF-8"]) {
    (await events.next()).settle({ kind: "dead", reason });
  }
  await using stats = await openInbox(broker, QUEUE.stats);
  (await stats.next()).settle({ kind: "dead", reason: "not JSON" });
  await until(
    "three dead letters",
    async () => (await broker.inspect(QUEUE.deadLetters))?.ready === 3,
  );
}

function assertNothingRaw(text: string): void {
  assert.doesNotMatch(text, /[^\P{Cc}\n]|\p{Cf}/u);
}

for (const kind of ["embedded", "RabbitMQ"] as const) {
  const ignore = kind === "RabbitMQ" && withoutRabbitMq();

  Deno.test(
    `${kind}: dead letters are listed, shown, sent back and dropped`,
    { ignore },
    async () => {
      await using harness = await openHarness(kind);
      await harness.with(bury);

      const listed = await harness.run("list");
      assert.equal(listed.code, 0, listed.err);
      assertNothingRaw(listed.out);
      assert.match(listed.out, /bad \\u\{1b\}\]0;title\\u\{7\} \\u\{202e\}txt/);
      const { letters } = JSON.parse((await harness.run("list", "--json")).out);
      assert.equal(letters.length, 3);
      const [event, binary, stats] = letters;
      assert.equal(event.queue, QUEUE.evaluationFilter);
      assert.equal(event.reason, HOSTILE);
      assert.equal(event.routingKey, "pull_request.acme/site.org");
      assert.equal(stats.reason, "not JSON");

      const seen = await harness.run("show", event.id);
      assertNothingRaw(seen.out);
      assert.match(seen.out, /"action": "\\u001b\[31mopened"/);
      assert.match(seen.out, /x-github-delivery: 72d3162e/);
      const whole = await harness.run("show", binary.id, "--json");
      assertNothingRaw(whole.out);
      assert.equal(JSON.parse(whole.out).letters[0].bodyBase64, "/wA=");

      const sent = await harness.run("retry", event.id);
      assert.equal(sent.code, 0, sent.err);
      await harness.with(async (broker) => {
        await using inbox = await openInbox(broker, QUEUE.evaluationFilter);
        const again = await inbox.next();
        assert.equal(again.tries, 1, "as if for the first time");
        assert.equal(again.exchange, "github-events");
        assert.equal(again.routingKey, "pull_request.acme/site.org");
        assert.deepEqual(
          Object.keys(again.headers).filter((name) => /reason|queue|time/.test(name)),
          [],
        );
        assert.equal(again.headers["x-github-delivery"], "72d3162e");
        again.settle(ack);
      });

      const dropped = await harness.run("drop", "--all", "--queue", QUEUE.stats, "--json");
      assert.deepEqual(JSON.parse(dropped.out).letters.map(({ id }: { id: string }) => id), [
        stats.id,
      ]);
      const left = JSON.parse((await harness.run("list", "--json")).out).letters;
      assert.deepEqual(left.map(({ id }: { id: string }) => id), [binary.id]);

      const missing = await harness.run("drop", "000000000000");
      assert.equal(missing.code, 1);
      assert.match(missing.err, /There is no dead letter 000000000000/);
    },
  );
}

Deno.test("embedded: a broker that a process has open is not looked into", async () => {
  await using harness = await openHarness("embedded");
  await harness.with(async () => {
    const { code, err } = await harness.run("list");
    assert.equal(code, 2, err);
    assert.match(
      err,
      /another process has it open; stop that process, or use RabbitMQ for several/,
    );
  });
});

Deno.test("each verb says when there is nothing to work on", async () => {
  await using harness = await openHarness("embedded");
  for (const args of [["list"], ["show", "--all"], ["retry", "--all"], ["drop", "--all"]]) {
    const { code, out, err } = await harness.run(...args);
    assert.deepEqual([code, out, err], [0, "There are no dead letters\n", ""]);
  }
  const { out } = await harness.run("retry", "--queue", "build-results");
  assert.equal(out, "There are no dead letters from build-results\n");
});

Deno.test("wrong arguments get one line", async () => {
  await using harness = await openHarness("embedded");
  const cases: [string[], RegExp][] = [
    [[], /Expected one of list, show, retry, drop, found nothing/],
    [["burn"], /found burn/],
    [["drop"], /drop: expected ids or --all/],
    [["drop", "--queue", "stats-events"], /drop: expected ids or --all/],
    [["show"], /show: expected ids or --all/],
    [["retry"], /retry: expected ids, --queue QUEUE or --all/],
    [["drop", "abc", "--all"], /found both/],
    [["list", "--nonsense"], /nonsense/],
  ];
  for (const [args, expected] of cases) {
    const { code, err, out } = await harness.run(...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, expected);
    assert.equal(err.trim().split("\n").length, 1);
    assert.equal(out, "");
  }
  assert.equal((await harness.run("--help")).code, 0);
});

Deno.test("what a terminal would obey is shown as a number", () => {
  assert.equal(shown("a\u001b[2Jb\u0085c\u200bd\ud800"), "a\\u{1b}[2Jb\\u{85}c\\u{200b}d\ufffd");
  const text = { reason: "\u009b31m \u{e0041} \u2028" };
  assert.deepEqual(JSON.parse(jsonText(text)), text);
  assertNothingRaw(jsonText(text));
});

Deno.test("a broker that is down is told in one line, at once", () =>
  inFolder(async (folder) => {
    const config = join(folder, "config.json");
    const password_file = join(folder, "password");
    await Deno.writeTextFile(password_file, "x\n");
    const rabbitmq = { host: `127.0.0.1:${freePort()}`, username: "x", password_file };
    const runner = { identity: "x", repos: [] };
    await Deno.writeTextFile(config, JSON.stringify({ rabbitmq, runner }));
    const { code, out, err } = await tickborg(["dead-letters", "list", "--config", config]);
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^Cannot connect to broker: [^\n]*ECONNREFUSED[^\n]*\n$/);
  }));
