/** What a section of the configuration says, or what holds where it is absent. */
import type { Config } from "./config.ts";
import { foreignSystems, type System } from "../messages/systems.ts";
import { shown } from "./mistakes.ts";
import { ConfigSchema } from "./schema.ts";

/** A section that may be absent while another role reads it. */
type Optional = "builder" | "github_comment_poster" | "mass_rebuilder" | "stats";

/** A section with its defaults, whether the configuration has it, or there is a configuration, or not. */
export function sectionOf<S extends Optional>(
  config: Pick<Config, S> | undefined,
  section: S,
): NonNullable<Config[S]> {
  const found: Config[S] | undefined = config?.[section];
  return found ?? ConfigSchema.shape[section].unwrap().parse({}) as NonNullable<Config[S]>;
}

/**
 * The public address of the log server without a slash at its end; empty where none is configured. Files of
 * the Rust bot name the folder `/logfile` below it.
 */
export function logServerOf(config: Pick<Config, "log_api_config">): string {
  return (config.log_api_config?.serve_root ?? "").replace(/\/+$/, "").replace(/\/logfile$/, "");
}

/** The address of the log viewer that check runs link to; undefined where there is none. */
export function logViewerOf(
  config: Pick<Config, "log_api_config" | "github_comment_poster">,
): string | undefined {
  return config.github_comment_poster?.log_viewer ?? (logServerOf(config) || undefined);
}

/** The systems that a builder serves; none without `build`. */
export function systemsOf(config: Partial<Config>): System[] {
  return [...new Set([config.build?.system ?? []].flat())];
}

/** Why a builder may not run here: results of another system would not be what they say; undefined where it may. */
export function foreignMistake(config: Partial<Config>): string | undefined {
  const foreign = foreignSystems(systemsOf(config));
  if (config.builder?.foreign_systems || foreign.length === 0) return undefined;
  return `build.system: this machine is ${Deno.build.arch}-${Deno.build.os}; found ${
    shown(foreign.length === 1 ? foreign[0] : foreign)
  }; run that builder on such a machine, or set builder.foreign_systems where this one emulates it`;
}
