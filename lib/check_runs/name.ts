/** Names of check runs: what branch protection can require. */

/** The name of the check run of a project on a system. */
export function checkRunName(project: string, system: string): string {
  return `${project} on ${system}`.replaceAll(/[\p{Cc}\p{Cf}]/gu, "").slice(0, 300);
}

/** The project and the system in a check run's name; a name of another form is a project on none. */
export function parseCheckRunName(name: string): { project: string; system: string | undefined } {
  const parts = /^(.*) on (\S{1,50})$/s.exec(name);
  return parts ? { project: parts[1]!, system: parts[2]! } : { project: name, system: undefined };
}
