/** Limits git's time. */
import { TransientFault } from "../common/errors.ts";
import { Requeue } from "../runtime/role.ts";

/**
 * A signal that aborts with a `Requeue` when the role stops, or with a `TransientFault` after some
 * seconds. The caller disposes of it.
 */
export function limited(stop: AbortSignal, seconds: number): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const onStop = () => controller.abort(new Requeue("The role stops"));
  if (stop.aborted) onStop();
  stop.addEventListener("abort", onStop, { once: true });
  const timer = setTimeout(
    () => controller.abort(new TransientFault(`Evaluation took more than ${seconds} s`)),
    seconds * 1_000,
  );
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      stop.removeEventListener("abort", onStop);
    },
  };
}
