/** Pure: what follows after an overall check was read or written. */
import { ack } from "../../broker/broker.ts";
import type { CheckRunState } from "../../github/github.ts";
import type { HandlerResult } from "../../runtime/role.ts";
import type { OverallMemory } from "./memory.ts";
import { evaluateRivalsOnce } from "./rivals.ts";
import { type OverallTarget, refreshMessage } from "./target.ts";

/** Milliseconds until a waiting overall check is checked again, even if no message arrives. */
export const LOOK_AGAIN_MS = 120_000;

/** Nothing follows. */
export const done: HandlerResult = { publish: [], settle: ack };

/** The message is delivered again later, because the check waits. */
export const lookAgain: HandlerResult = {
  publish: [],
  settle: { kind: "retry", delayMs: LOOK_AGAIN_MS, reason: "Watching" },
};

/** What follows once an evaluation is shown; the same each time it is asked. */
export function followUp(
  target: OverallTarget,
  memory: OverallMemory,
  { status, conclusion }: Pick<CheckRunState, "status" | "conclusion">,
): HandlerResult {
  // The message that the pull request left may have come before the check existed.
  if (memory.stage === "queued") {
    return { publish: [refreshMessage(target, memory.request.id)], settle: ack };
  }
  if (memory.stage !== "ended" || conclusion === "success") return done;
  if (status !== "completed") {
    return { publish: [refreshMessage(target, memory.request.id)], settle: ack };
  }
  return { publish: evaluateRivalsOnce(target, memory), settle: ack };
}
