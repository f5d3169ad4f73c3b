/** What the stories of the builder share. */
import type { ProjectInput } from "../../testing/monorepo.ts";
import { type BuilderHarness, drive, type Message } from "./builder_harness.ts";

/** A project whose build is one command. */
export const custom = (command: string, more: Partial<ProjectInput> = {}): ProjectInput => ({
  name: "it",
  path: ".",
  build_system: { Custom: { command } },
  ...more,
});

/** A build that says what the pull request's `run.sh` says. */
export const SCRIPT = custom("sh run.sh");

/** What each message is and where it goes. */
export const kinds = (messages: readonly Message[]) =>
  messages.map(({ exchange, routingKey, body }) =>
    body.started
      ? `started to ${exchange}${routingKey}`
      : body.line_number !== undefined
      ? `lines to ${exchange} ${routingKey}`
      : body.tag
      ? `result to ${exchange} ${routingKey}`
      : `log start to ${exchange} ${routingKey}`
  );

/** What lies where jobs have their folders. */
export async function leftovers(harness: BuilderHarness): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(harness.jobsRoot)) names.push(name);
  return names;
}

/** Builds until the first line of its own is there, then does something. */
export async function buildAndThen(
  harness: BuilderHarness,
  signals: AbortSignal | { stop: AbortSignal; lost: AbortSignal },
  then: () => void,
) {
  const job = await harness.pullRequest({ "run.sh": "echo up; sleep 600\n" });
  let done = false;
  return drive(harness.consumer, job, signals, (messages) => {
    if (done || !messages.some(({ body }) => body.lines?.includes("up"))) return;
    done = true;
    then();
  });
}
