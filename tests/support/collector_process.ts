/**
 * A log collector as a process of its own on an embedded broker's file: arguments are the broker's file, the
 * log root, a folder of logs below it, and the bytes in that folder at which it dies as a power cut would.
 * Ends when nothing is left to do.
 */
import { join } from "node:path";
import { openEmbedded } from "../../lib/broker/embedded/broker.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { isAttemptId } from "../../lib/log_store/paths.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import { startRole } from "../../services/start.ts";
import { pause } from "../../testing/waiting.ts";

const [brokerPath, root, key, deadAt] = Deno.args as [string, string, string, string];

/** Bytes of all texts under the key. */
function written(): number {
  try {
    return [...Deno.readDirSync(join(root, key))].filter(({ name }) => isAttemptId(name))
      .reduce((sum, { name }) => sum + Deno.statSync(join(root, key, name)).size, 0);
  } catch {
    // Nothing yet.
    return 0;
  }
}

const broker = await openEmbedded(brokerPath, { log: roleLogger("test.broker") });
const config = parseConfig({
  runner: { identity: "test", repos: [] },
  log_message_collector: { logs_path: root },
  log_api_config: { listen: "127.0.0.1:0", logs_path: root, serve_root: "" },
});
const running = await startRole("log-message-collector", { config, broker, retryScale: 0.01 });
while ((await broker.inspect(QUEUE.logs))!.ready > 0) {
  if (written() >= Number(deadAt)) Deno.kill(Deno.pid, "SIGKILL");
  await pause(0);
}
await running.stop(10_000);
await broker.close();
