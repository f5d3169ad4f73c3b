/**
 * A log collector that meets a full disk, as a process of its own: arguments are an embedded broker's file and a
 * log root on a small disk. Fills the disk, stops and starts the collector meanwhile, makes room, and prints
 * what became of the messages as JSON.
 */
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { openEmbedded } from "../../lib/broker/embedded/broker.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import { parseConfig } from "../../lib/config/config.ts";
import type { RoleContext } from "../../lib/runtime/role.ts";
import { startService } from "../../lib/runtime/runner.ts";
import { createService } from "../../services/log_message_collector.ts";
import { until } from "../../testing/waiting.ts";
import { batch, deadLetters, KEY } from "../services/log_messages.ts";
import { captureLog } from "./log_capture.ts";

const [brokerPath, root] = Deno.args as [string, string];
const { log, text } = await captureLog();
const broker = await openEmbedded(brokerPath, { log: getLogger(["tickborg", "test"]) });
const config = parseConfig({
  runner: { identity: "test", repos: [] },
  log_message_collector: { logs_path: root },
  log_api_config: { listen: "127.0.0.1:0", logs_path: root, serve_root: "" },
});
const start = async () => {
  const context = { role: "log-message-collector", config, log, now: Date.now };
  const service = await createService(context as RoleContext);
  return await startService(service, { broker, log, retryScale: 0.01 });
};
const told = () => text().split("Log messages wait: the disk is full").length - 1;

const first = await start();
const filler = join(root, "filler");
await Deno.writeFile(filler, new Uint8Array(16 * 1024 * 1024)).catch(() => {});
const lines = Array.from({ length: 40 }, (_, index) => `line ${index + 1} ${"x".repeat(1_000)}`);
await broker.publish(lines.map((line, index) => batch("a1", index + 1, [line])));
await until("a full disk", () => told() === 1);
await first.stop(100);
const requeued = (await broker.inspect(QUEUE.logs))!.ready;
const second = await start();
await until("the disk that is still full", () => told() === 2);
await Deno.remove(filler);
const log1 = join(root, KEY, "a1");
const whole = () => Deno.readTextFile(log1).then((it) => it.split("\n").length > 40, () => false);
await until("the log", whole);
await second.stop(5_000);
const isSame = await Deno.readTextFile(log1) === `${lines.join("\n")}\n`;
const dead = (await deadLetters(broker)).length;
const retried = text().includes("tried again later");
await broker.close();
console.log(JSON.stringify({ requeued, isSame, dead, retried }));
