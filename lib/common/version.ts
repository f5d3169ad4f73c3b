import config from "../../deno.json" with { type: "json" };

/** Tickborg's version (semver.org): the "version" of deno.json, the only place it is written. */
export const VERSION: string = config.version;
