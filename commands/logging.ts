/** Logging of commands that say themselves what they found. */
import { logSettings, setUpLogging } from "../lib/runtime/log.ts";

/** Logs from this level on instead of from `info`, unless the environment names another. */
export async function logFrom(level: "warning" | "off"): Promise<void> {
  const { filter, json } = logSettings((name) => Deno.env.get(name));
  await setUpLogging({ filter: filter === "info" ? level : filter, json });
}
