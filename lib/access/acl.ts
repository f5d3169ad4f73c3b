/** Who may build what on which systems. Pure. Names ignore case, as on GitHub. */
import type { Config, Project } from "../config/config.ts";
import { sectionOf } from "../config/sections.ts";
import type { System } from "../messages/systems.ts";

/** Whether this bot serves a repository (`owner/name`). */
export function servesRepo(config: Pick<Config, "runner">, fullName: string): boolean {
  return config.runner.repos.some((repo) => repo.toLowerCase() === fullName.toLowerCase());
}

/**
 * Whether the configuration trusts a user. With `disable_trusted_users` it trusts everyone, as in
 * the Rust bot, which then has no list.
 */
function isListedAsTrusted(config: Pick<Config, "runner">, user: string): boolean {
  const { disable_trusted_users, trusted_users } = config.runner;
  return disable_trusted_users ||
    trusted_users.some((trusted) => trusted.toLowerCase() === user.toLowerCase());
}

/** Whether a GitHub repository role includes push access, which is enough trust for builds. */
function mayPush(permission: string): boolean {
  return ["admin", "maintain", "write"].includes(permission);
}

/**
 * Whether a user is trusted: by the configuration, else through push access. `permission` is called
 * only if the configuration does not trust the user.
 */
export async function isTrusted(
  config: Pick<Config, "runner">,
  user: string,
  permission: (user: string) => Promise<string>,
): Promise<boolean> {
  return isListedAsTrusted(config, user) || mayPush(await permission(user));
}

/** Projects of one pull request that are built without a trusted person's approval. */
export function maxProjects(config: Pick<Config, "mass_rebuilder">): number {
  return sectionOf(config, "mass_rebuilder").max_projects;
}

/** Input of {@link systemsFor}. */
export interface SystemsRequest {
  readonly project: Pick<Project, "systems">;
  readonly trusted: boolean;
  /** Requested systems; all when absent or empty. */
  readonly wanted?: readonly System[];
}

/** The systems to build a project on, in the fleet's order; empty if none is allowed or served. */
export function systemsFor(config: Pick<Config, "github">, request: SystemsRequest): System[] {
  const { systems, untrusted_systems } = config.github;
  return systems.filter((system) =>
    (request.project.systems?.includes(system) ?? true) &&
    (request.trusted || untrusted_systems.includes(system)) &&
    (!request.wanted?.length || request.wanted.includes(system))
  );
}
