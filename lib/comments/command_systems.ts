/** Reads `on` as the word before systems, unless a project is called that. Pure. */
import { isSystem, type System } from "../messages/systems.ts";
import type { Command } from "./command.ts";

/** Commands whose systems are known to exist, and the names that are none. */
export interface CommandSystems {
  readonly commands: readonly Command[];
  readonly unknown: readonly string[];
}

/**
 * Takes what stands behind a command's `on` as systems. The parser does so only if each of them is one,
 * because it does not know whether there is a project `on`. A command that then has no system left is dropped.
 */
export function withSystems(
  commands: readonly Command[],
  projects: ReadonlySet<string>,
): CommandSystems {
  if (projects.has("on")) return { commands, unknown: [] };
  const read = commands.map(placed);
  return {
    commands: read.flatMap(({ commands }) => commands),
    unknown: [...new Set(read.flatMap(({ unknown }) => unknown))],
  };
}

function placed(command: Command): CommandSystems {
  if (command.kind !== "build" && command.kind !== "test") {
    return { commands: [command], unknown: [] };
  }
  const on = command.projects.lastIndexOf("on");
  const places = command.projects.slice(on + 1);
  if (on < 1 || places.length === 0) return { commands: [command], unknown: [] };
  const systems: System[] = places.filter(isSystem);
  return {
    commands: systems.length === 0
      ? []
      : [{ ...command, projects: command.projects.slice(0, on), systems }],
    unknown: places.filter((place) => !isSystem(place)),
  };
}
