/** Sections of the configuration with their defaults. */
import type { Config } from "./config.ts";
import { foreignSystems, type System } from "../messages/systems.ts";
import { shown } from "./mistakes.ts";
import { ConfigSchema } from "./schema.ts";

/** A section that other roles read even if it is absent. */
type Optional = "builder" | "github_comment_poster" | "mass_rebuilder" | "stats";

/** A section with its defaults, even if it or the whole configuration is absent. */
export function sectionOf<S extends Optional>(
  config: Pick<Config, S> | undefined,
  section: S,
): NonNullable<Config[S]> {
  const found: Config[S] | undefined = config?.[section];
  return found ?? ConfigSchema.shape[section].unwrap().parse({}) as NonNullable<Config[S]>;
}

/**
 * The public address of the log server without a final slash; empty if none is configured. The Rust
 * bot's files name its folder `/logfile`.
 */
export function logServerOf(config: Pick<Config, "log_api_config">): string {
  return (config.log_api_config?.serve_root ?? "").replace(/\/+$/, "").replace(/\/logfile$/, "");
}

/** The address of the log viewer that check runs link to; undefined if there is none. */
export function logViewerOf(
  config: Pick<Config, "log_api_config" | "github_comment_poster">,
): string | undefined {
  return config.github_comment_poster?.log_viewer ?? (logServerOf(config) || undefined);
}

/** The systems that a builder serves; none without `build`. */
export function systemsOf(config: Partial<Config>): System[] {
  return [...new Set([config.build?.system ?? []].flat())];
}

/** Why a builder may not run here: its results would name the wrong system; undefined if it may. */
export function foreignMistake(config: Partial<Config>): string | undefined {
  const foreign = foreignSystems(systemsOf(config));
  if (config.builder?.foreign_systems || foreign.length === 0) return undefined;
  return `build.system: this machine is ${Deno.build.arch}-${Deno.build.os}; found ${
    shown(foreign.length === 1 ? foreign[0] : foreign)
  }; run that builder on such a machine, or set builder.foreign_systems if this one emulates it`;
}
