/**
 * A log collector as a process of its own on an embedded broker's file, for tests that kill it: arguments
 * are the broker's file and the log root. Says `ready` when it consumes; ends when nothing is left to do.
 */
import { openEmbedded } from "../../lib/broker/embedded/broker.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { roleLogger } from "../../lib/log.ts";
import { QUEUE } from "../../lib/topology.ts";
import { startRole } from "../../services/start.ts";

const [brokerPath, root] = Deno.args as [string, string];
const broker = await openEmbedded(brokerPath, { log: roleLogger("test.broker") });
const config = parseConfig({
  runner: { identity: "test", repos: [] },
  log_message_collector: { logs_path: root },
  log_api_config: { listen: "127.0.0.1:0", logs_path: root, serve_root: "" },
});
const running = await startRole("log-message-collector", { config, broker, retryScale: 0.01 });
console.log("ready");
while ((await broker.inspect(QUEUE.logs))!.ready > 0) {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
await running.stop(10_000);
await broker.close();
