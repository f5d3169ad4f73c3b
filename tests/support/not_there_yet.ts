/** Deliveries of a message about something that GitHub or git does not show yet. */
import assert from "node:assert/strict";
import { NotThereYet } from "../../lib/common/errors.ts";
import { MISSING_TRIES } from "../../lib/runtime/retry.ts";
import type { Handled } from "./role_harness.ts";
import type { Monorepo } from "../../testing/monorepo.ts";

/** The delivery at which what is missing is believed to be gone. */
export const last = { tries: MISSING_TRIES };
/** The delivery before that. */
export const justBefore = { tries: MISSING_TRIES - 1 };

/** Asserts that a message comes again, and that the poster was told at most that an evaluation runs. */
export function triedAgain(handled: Handled, what: string): void {
  assert.ok(handled.error instanceof NotThereYet, `${what}: ${handled.error}`);
  const told = handled.published.map(({ body }) => JSON.parse(new TextDecoder().decode(body)));
  assert.deepEqual(told.filter(({ evaluation }) => evaluation !== "running"), [], what);
}

/** Takes a repository out of the git server's sight. */
export async function hideRepository({ upstream }: Monorepo): Promise<void> {
  await Deno.rename(upstream, `${upstream}.hidden`);
}

/** Brings it back. */
export async function showRepository({ upstream }: Monorepo): Promise<void> {
  await Deno.rename(`${upstream}.hidden`, upstream);
}
