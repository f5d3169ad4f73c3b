/** The addresses that roles serve HTTP on. */
import type { Config, Section } from "./config.ts";
import { DEFAULT_LISTEN } from "./schema.ts";

/** The section with a role's `listen`: the collector serves the log API. */
const LISTENS = {
  github_webhook_receiver: "github_webhook_receiver",
  log_message_collector: "log_api_config",
  stats: "stats",
} as const satisfies Partial<Record<Section, keyof typeof DEFAULT_LISTEN>>;

/** The address, `host:port`, that the role of this section listens on. */
export function listenOf(section: keyof typeof LISTENS, config: Config): string {
  return config[LISTENS[section]]?.listen ?? DEFAULT_LISTEN[LISTENS[section]];
}

/** The address a role listens on, `host:port`; undefined if it serves nothing. */
export function listenAddress(row: { readonly section: Section }, config: Config) {
  const { section } = row;
  return Object.hasOwn(LISTENS, section)
    ? listenOf(section as keyof typeof LISTENS, config)
    : undefined;
}

/** Splits `host:port` or `[v6]:port`. */
export function parseListen(listen: string): { hostname: string; port: number } {
  const colon = listen.lastIndexOf(":");
  const hostname = listen.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { hostname, port: Number(listen.slice(colon + 1)) };
}
