/** Bounds the time that git is given. */
import { TransientFault } from "../common/errors.ts";
import { Requeue } from "../runtime/role.ts";

/**
 * A signal that aborts when the role stops, with a `Requeue`, or after some seconds, with a
 * `TransientFault`. To be disposed of.
 */
export function withTimeLimit(
  stop: AbortSignal,
  seconds: number,
): Disposable & { signal: AbortSignal } {
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
