/** Pure: what follows once an overall check was read or written. */
import { ack } from "../../broker/broker.ts";
import type { CheckRunState } from "../../github/github.ts";
import type { HandlerResult } from "../../runtime/role.ts";
import type { OverallMemory } from "./memory.ts";
import { evaluateRivalsOnce } from "./rivals.ts";
import { type OverallTarget, refreshMessage } from "./target.ts";

/** Milliseconds until an overall check that waits for builds is looked at again, whatever was received. */
export const LOOK_AGAIN_MS = 120_000;

/** Nothing follows. */
export const done: HandlerResult = { publish: [], settle: ack };

/** The message comes back, because the check waits. */
export const lookAgain: HandlerResult = {
  publish: [],
  settle: { kind: "retry", delayMs: LOOK_AGAIN_MS, reason: "Watching" },
};

/** What follows once an evaluation is shown; the same however often it is asked. */
export function followUp(
  target: OverallTarget,
  memory: OverallMemory,
  { status, conclusion }: Pick<CheckRunState, "status" | "conclusion">,
): HandlerResult {
  // Whoever leaves may have said so before the check was there.
  if (memory.stage === "queued") {
    return { publish: [refreshMessage(target, memory.request.id)], settle: ack };
  }
  if (memory.stage !== "ended" || conclusion === "success") return done;
  if (status !== "completed") {
    return { publish: [refreshMessage(target, memory.request.id)], settle: ack };
  }
  return { publish: evaluateRivalsOnce(target, memory), settle: ack };
}
