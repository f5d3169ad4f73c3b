/** `tickborg all`: every role in one process. */
import { configPath, loadConfig } from "../lib/config/config.ts";
import { parseOptions } from "./arguments.ts";
import { runAll } from "./run_roles.ts";

const HELP = `Runs every role that has a section in the configuration, in one process

Usage: tickborg all [--config FILE]

  --config FILE  the configuration (default: CONFIG_PATH, then ./config.json)

Without RabbitMQ in the configuration, the roles use the embedded broker. It stores its messages in
embedded_broker.path and serves only this process.
`;

export async function run(args: string[]): Promise<number> {
  const options = parseOptions(args, {
    config: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  });
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  return await runAll(await loadConfig(configPath(options.config)));
}
