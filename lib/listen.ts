/** The addresses the roles serve HTTP on, as the configuration gives them. */
import type { Config, Section } from "./config/config.ts";
import { DEFAULT_LISTEN } from "./config/schema.ts";

/** Sections whose `listen` a role uses that is configured elsewhere: the collector serves the log API. */
const LISTENS: Partial<Record<Section, keyof typeof DEFAULT_LISTEN>> = {
  github_webhook_receiver: "github_webhook_receiver",
  log_message_collector: "log_api_config",
  stats: "stats",
};

/** The address a role listens on, `host:port`; undefined where it serves nothing. */
export function listenAddress(row: { readonly section: Section }, config: Config) {
  const section = LISTENS[row.section];
  return section === undefined ? undefined : config[section]?.listen ?? DEFAULT_LISTEN[section];
}
