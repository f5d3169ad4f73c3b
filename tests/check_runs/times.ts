/** Times and check runs that the sweep and the timeout rules are tested with. */
import type { CheckRun } from "../../lib/github/github.ts";

/** In milliseconds. */
export const MINUTE = 60_000;

/** The present. */
export const NOW = Date.parse("2026-01-01T12:00:00Z");

/** So many minutes before it. */
export const ago = (minutes: number) => new Date(NOW - minutes * MINUTE).toISOString();

/** A check run that was queued ten minutes ago. */
export function run(fields: Partial<CheckRun>): CheckRun {
  return {
    id: 1,
    name: "cmark on x86_64-linux",
    headSha: "0".repeat(40),
    status: "queued",
    externalId: `${ago(10)}/r`,
    title: "",
    summary: "",
    ...fields,
  };
}

/** One that was queued so many minutes ago. */
export const queuedFor = (minutes: number) => run({ externalId: `${ago(minutes)}/r` });
