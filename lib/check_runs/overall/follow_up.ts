/** What follows a write of the overall check. Pure. */
import { ack } from "../../broker/broker.ts";
import type { CheckRunState } from "../../github/github.ts";
import type { HandlerResult } from "../../runtime/role.ts";
import type { OverallMemory } from "./memory.ts";
import { evaluateRivalsOnce } from "./rivals.ts";
import { type OverallTarget, refreshMessage } from "./target.ts";

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
  if (memory.stage !== "ended" || conclusion === "success") return { publish: [], settle: ack };
  if (status !== "completed") {
    return { publish: [refreshMessage(target, memory.request.id)], settle: ack };
  }
  return { publish: evaluateRivalsOnce(target, memory), settle: ack };
}
