/**
 * Names of check runs, which branch protection can require. GitHub identifies check runs by commit
 * and name, and one commit may be the head of pull requests into several branches. So each base has
 * its own names, and a check that one base requires never shows what was merged into another. Names
 * for the default branch, and for pushes, have no suffix.
 */
import { nameHash } from "../messages/log_key.ts";

/** The check run that sums up all builds of a pull request: the one to require. */
export const OVERALL = "tickborg";

/** Characters of a base branch's name that a check run's name can show. */
const MAX_BASE = 100;

/** The end of the names of a pull request's check runs: empty for the default branch. */
export function baseSuffix(base: string | null, defaultBranch: string): string {
  if (base === null || base === defaultBranch) return "";
  const clean = base.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").toWellFormed();
  // Two branches must never share a name.
  const shown = clean === base && base.length <= MAX_BASE
    ? base
    : `${clean.slice(0, MAX_BASE).toWellFormed()}-${nameHash(base)}`;
  return ` (${shown})`;
}

/** The name of the overall check run of pull requests with this suffix. */
export function overallName(suffix: string): string {
  return `${OVERALL}${suffix}`;
}

/** Whether a check run sums up the builds of a pull request. */
export function isOverall(name: string): boolean {
  return name === OVERALL || name.startsWith(`${OVERALL} (`);
}

/** The name of the check run of a project on a system; `suffix` is {@link baseSuffix}'s. */
export function checkRunName(project: string, system: string, suffix = ""): string {
  return `${project} on ${system}`.replaceAll(/[\p{Cc}\p{Cf}]/gu, "").slice(0, 150) + suffix;
}

/** The parts of a check run's name. A name of another form is a project without a system. */
export interface ParsedName {
  readonly project: string;
  readonly system: string | undefined;
  /** See {@link baseSuffix}. */
  readonly suffix: string;
}

/** Splits a check run's name into its parts. */
export function parseCheckRunName(name: string): ParsedName {
  const parts = /^(.*?) on ([^\s()]{1,50})( \(.+\))?$/s.exec(name);
  if (parts === null) return { project: name, system: undefined, suffix: "" };
  return { project: parts[1]!, system: parts[2]!, suffix: parts[3] ?? "" };
}
