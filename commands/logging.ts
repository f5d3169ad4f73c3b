/** Logging for commands that print their own results. */
import { logSettings, setUpLogging } from "../lib/runtime/log.ts";

/** Replaces the default level `info` by this one, unless the environment names a level. */
export async function logFrom(level: "warning" | "off"): Promise<void> {
  const { filter, json } = logSettings((name) => Deno.env.get(name));
  await setUpLogging({ filter: filter === "info" ? level : filter, json });
}
