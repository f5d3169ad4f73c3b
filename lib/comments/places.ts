/** Treats words after `on` as systems, unless a project has that name. Pure. */
import { isSystem, type System } from "../messages/systems.ts";
import type { Command } from "./command.ts";

/** Commands with known systems, and the unknown names. */
export interface CommandSystems {
  readonly commands: readonly Command[];
  readonly unknown: readonly string[];
}

/**
 * Treats the words after a command's `on` as systems. The parser does so only if all of them are
 * systems, because it does not know whether there is a project `on`. Drops a command without any
 * known system.
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
