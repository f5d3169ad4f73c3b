/** The systems a builder can serve, by their wire names (`docs/protocol.md`, "Queues"). */
export const SYSTEMS = [
  "x86_64-linux",
  "aarch64-linux",
  "x86_64-darwin",
  "aarch64-darwin",
  "x86_64-windows",
  "aarch64-windows",
  "x86_64-freebsd",
] as const;

/** One of {@link SYSTEMS}. */
export type System = (typeof SYSTEMS)[number];

/** The systems that people who are not trusted may build on, unless the configuration says otherwise. */
export const PRIMARY_SYSTEMS: readonly System[] = ["x86_64-linux"];

/** Whether a text names a system that Tickborg knows. */
export function isSystem(text: string): text is System {
  return (SYSTEMS as readonly string[]).includes(text);
}

/** Those of the systems that a machine is not; `machine` is `<arch>-<os>`, this one's when absent. */
export function foreignSystems(
  systems: readonly System[],
  machine = `${Deno.build.arch}-${Deno.build.os}`,
): System[] {
  return systems.filter((system) => system !== machine);
}

/** The system this process runs on. Throws when it is none of {@link SYSTEMS}. */
export function hostSystem(): System {
  const name = `${Deno.build.arch}-${Deno.build.os}`;
  if (isSystem(name)) return name;
  throw new Error(`Cannot tell this machine's system: ${name} is none of ${SYSTEMS.join(", ")}`);
}
