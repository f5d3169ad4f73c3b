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

/** The systems that untrusted people may build on, unless configured otherwise. */
export const PRIMARY_SYSTEMS: readonly System[] = ["x86_64-linux"];

export function isSystem(text: string): text is System {
  return (SYSTEMS as readonly string[]).includes(text);
}

/** The systems other than `machine`, which is `<arch>-<os>`, this machine's when absent. */
export function foreignSystems(
  systems: readonly System[],
  machine = `${Deno.build.arch}-${Deno.build.os}`,
): System[] {
  return systems.filter((system) => system !== machine);
}

/** The system this process runs on. Throws if it is none of {@link SYSTEMS}. */
export function hostSystem(): System {
  const name = `${Deno.build.arch}-${Deno.build.os}`;
  if (isSystem(name)) return name;
  throw new Error(`Unsupported system: found ${name}, expected one of ${SYSTEMS.join(", ")}`);
}
