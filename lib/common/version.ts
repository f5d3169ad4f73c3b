import config from "../../deno.json" with { type: "json" };

/** Tickborg's version (semver.org), from deno.json, the only place that has it. */
export const VERSION: string = config.version;
