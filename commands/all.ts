/** `tickborg all`: the whole of Tickborg in one process. */
import { configPath, loadConfig } from "../lib/config/config.ts";
import { command } from "./arguments.ts";
import { runAll } from "./run_roles.ts";

const HELP = `Runs every role that the configuration has a section for in one process

Usage: tickborg all [--config FILE]

  --config FILE  the configuration; CONFIG_PATH or ./config.json when absent

The roles talk over the embedded broker, which keeps its messages in embedded_broker.path and serves
this process only, unless the configuration names a RabbitMQ.
`;

/** `tickborg all`. */
export const run = command(HELP, { config: { type: "string" } }, async ({ config }) => {
  return await runAll(await loadConfig(configPath(config)));
});
