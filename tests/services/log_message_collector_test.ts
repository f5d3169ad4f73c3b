import assert from "node:assert/strict";
import { join } from "node:path";
import type { Broker } from "../../lib/broker/broker.ts";
import { openEmbedded } from "../../lib/broker/embedded/broker.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import type { RoleContext } from "../../lib/runtime/role.ts";
import { createService } from "../../services/log_message_collector.ts";
import { startRole } from "../../services/start.ts";
import { captureLog } from "../support/log_capture.ts";
import { until } from "../../testing/waiting.ts";
import { batch, BUILDER, deadLetters, KEY, log, single, wire } from "./log_messages.ts";

interface World {
  broker: Broker;
  root: string;
  url: string;
}

async function collecting(test: (world: World) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const root = join(folder, "logs");
  const broker = await openEmbedded(join(folder, "broker.sqlite"), {
    log: roleLogger("test.broker"),
  });
  const config = parseConfig({
    runner: { identity: "test", repos: [] },
    log_message_collector: { logs_path: root },
    log_api_config: {
      listen: "127.0.0.1:0",
      logs_path: root,
      serve_root: "https://ci.example.com/logs",
    },
  });
  const running = await startRole("log-message-collector", { config, broker, retryScale: 0.01 });
  try {
    await test({ broker, root, url: `http://127.0.0.1:${running.endpoints[0]!.port}` });
  } finally {
    await running.stop(5_000);
    await broker.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Reads until something is as it should be: what is published is stored a moment later. */
function eventually<T>(read: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  let last: T | undefined;
  return until(() => JSON.stringify(last), async () => {
    last = await read();
    return wanted(last) ? { value: last } : undefined;
  }).then(({ value }) => value);
}

Deno.test("Start, lines in both forms and the result of a Rust builder become a log over HTTP", () =>
  collecting(async ({ broker, url }) => {
    await broker.publish([
      wire("build_log_start"),
      wire("build_log_msg"),
      batch("a1", 2, ["[2/9] cc", "[3/9] cc"]),
      single("a1", 4, "[4/9] ld"),
      log({
        ...JSON.parse(new TextDecoder().decode(wire("build_result_v1").body)),
        attempt_id: "a1",
      }),
    ]);
    const { attempts } = await eventually(
      () => fetch(`${url}/logs/${KEY}`).then((response) => response.json()),
      (index) => index.attempts?.a1?.complete === true,
    );
    assert.equal(attempts.a1.metadata.identity, "builder-1");
    assert.equal(attempts.a1.result.status, "Success");
    assert.equal(attempts.a1.log_url, "https://ci.example.com/logs/logfile/owner/repo.1/a1");
    const text = await (await fetch(`${url}/logfile/${KEY}/a1`)).text();
    assert.equal(text, "[1/9] Building C object\n[2/9] cc\n[3/9] cc\n[4/9] ld\n");
    assert.equal((await (await fetch(`${url}/health`)).json()).status, "ok");
  }));

Deno.test("The logs of pushes and of repositories with dots are kept: their keys have more words", () =>
  collecting(async ({ broker, url }) => {
    const body = { ...BUILDER, attempt_id: "a1", line_number: 1, output: "x" };
    for (
      const key of [
        "project.tick/mono.repo.push.release-1.x",
        "project-tick/.github.3",
        "build.log",
      ]
    ) {
      await broker.publish([log(body, key)]);
      await eventually(
        () => fetch(`${url}/logfile/${key}/a1`).then((response) => response.text()),
        (text) => text === "x\n",
      );
    }
  }));

Deno.test("What cannot be a log goes to the dead letters, and the next message is stored", () =>
  collecting(async ({ broker, root, url }) => {
    const bad = [
      single("a1", 0, "zero"),
      single("a1", -1, "minus"),
      single("a1", 1_000_000_000, "far"),
      single("../../evil", 1, "x"),
      single("a1", 1.5, "x"),
      batch("a1", 1, []),
      log({ ...BUILDER, attempt_id: "a1", line_number: 1, output: "x" }, "../../../tmp/evil"),
      log({ ...BUILDER, attempt_id: "a1", line_number: 1, output: "x" }, "/etc/cron.d"),
      log({ ...BUILDER, attempt_id: "a1", line_number: 1, output: "x" }, "a/b/c/d"),
      log({ ...BUILDER, attempt_id: "a1", line_number: 1, output: "x" }, ""),
      log({}),
      log(null),
      log([]),
      log("text"),
      { exchange: "logs", routingKey: KEY, body: new Uint8Array([0xff, 0, 1]) },
      { exchange: "logs", routingKey: KEY, body: new Uint8Array() },
    ];
    await broker.publish(bad);
    await broker.publish([single("a1", 1, "good")]);
    await eventually(
      () => fetch(`${url}/logfile/${KEY}/a1`).then((response) => response.text()),
      (text) => text === "good\n",
    );
    await eventually(() => deadLetters(broker), (letters) => letters.length === bad.length);
    const names = [...Deno.readDirSync(root)].map(({ name }) => name).sort();
    assert.deepEqual(names, [".open", ".tmp", "owner"]);
  }));

/** Runs the collector's task that removes old logs, and returns what it logged. */
async function removeOld(logs: string, keep_days: number | undefined): Promise<string> {
  const captured = await captureLog();
  const service = await createService({
    ...{ role: "log-message-collector", log: captured.log, now: Date.now },
    config: parseConfig({
      runner: { identity: "test", repos: [] },
      log_message_collector: { logs_path: logs, ...(keep_days !== undefined && { keep_days }) },
    }),
  } as RoleContext);
  const task = service.periodic?.find(({ name }) => name === "remove-old-logs");
  await task!.run(new AbortController().signal);
  await service.close?.();
  return captured.text();
}

Deno.test("Logs are removed when they are older than they are kept, and it is logged how many", async () => {
  const root = await Deno.makeTempDir();
  const old = join(root, KEY, "old");
  const days = (count: number) => new Date(Date.now() - count * 86_400_000);
  try {
    await Deno.mkdir(join(root, KEY), { recursive: true });
    for (const path of [old, `${old}.metadata.json`]) {
      await Deno.writeTextFile(path, path === old ? "a\n" : "{}");
      await Deno.utime(path, days(91), days(91));
    }
    assert.equal(await removeOld(root, 0), "", "0 is for ever");
    assert.equal(await removeOld(root, 92), "");
    assert.equal(await Deno.readTextFile(old), "a\n");
    assert.match(await removeOld(root, undefined), /"keepDays":90,"attempts":1,"bytes":2/);
    await assert.rejects(Deno.stat(join(root, "owner")), Deno.errors.NotFound);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
