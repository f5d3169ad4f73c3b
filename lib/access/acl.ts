/** Who may have what built where. Pure, and blind to case, as GitHub's names are. */
import type { Config, Project } from "../config/config.ts";
import { sectionOf } from "../config/sections.ts";
import type { System } from "../messages/systems.ts";

/** Whether a repository (`owner/name`) is one that this bot serves. */
export function servesRepo(config: Pick<Config, "runner">, fullName: string): boolean {
  return config.runner.repos.some((repo) => repo.toLowerCase() === fullName.toLowerCase());
}

/**
 * Whether somebody is trusted by the configuration alone. With `disable_trusted_users` everybody is, as in
 * the Rust bot, which knows no list then.
 */
function isListedAsTrusted(config: Pick<Config, "runner">, user: string): boolean {
  const { disable_trusted_users, trusted_users } = config.runner;
  return disable_trusted_users ||
    trusted_users.some((trusted) => trusted.toLowerCase() === user.toLowerCase());
}

/** Whether a role in a GitHub repository lets its holder push, which is as much trust as a build needs. */
function mayPush(permission: string): boolean {
  return ["admin", "maintain", "write"].includes(permission);
}

/**
 * Whether somebody is trusted: by the configuration, else because they may push. `permission` is asked
 * only where the configuration does not say.
 */
export async function isTrusted(
  config: Pick<Config, "runner">,
  user: string,
  permission: (user: string) => Promise<string>,
): Promise<boolean> {
  return isListedAsTrusted(config, user) || mayPush(await permission(user));
}

/** Projects of one pull request that are built without the word of somebody who is trusted. */
export function maxProjects(config: Pick<Config, "mass_rebuilder">): number {
  return sectionOf(config, "mass_rebuilder").max_projects;
}

/** What decides {@link systemsFor}. */
export interface SystemsRequest {
  readonly project: Pick<Project, "systems">;
  readonly trusted: boolean;
  /** Systems that were asked for by name; all when absent or empty. */
  readonly wanted?: readonly System[];
}

/** The systems to build a project on, in the fleet's order; empty where none is allowed or served. */
export function systemsFor(config: Pick<Config, "github">, request: SystemsRequest): System[] {
  const { systems, untrusted_systems } = config.github;
  return systems.filter((system) =>
    (request.project.systems?.includes(system) ?? true) &&
    (request.trusted || untrusted_systems.includes(system)) &&
    (!request.wanted?.length || request.wanted.includes(system))
  );
}
