import assert from "node:assert/strict";
import { deadline, orAborted } from "../../lib/common/async.ts";

Deno.test("a wait that was given up before it began leaves no rejection unhandled", async () => {
  const unhandled: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", note);
  try {
    const { promise, reject } = Promise.withResolvers<void>();
    await assert.rejects(orAborted(promise, AbortSignal.abort("given up")), /given up/);
    reject(new Error("came to nothing later"));
    await new Promise((resolve) => setTimeout(resolve));
  } finally {
    globalThis.removeEventListener("unhandledrejection", note);
  }
  assert.deepEqual(unhandled, []);
});

Deno.test("a deadline passes with its reason, and leaves no timer when it is disposed", async () => {
  using over = deadline(1, "late");
  await assert.rejects(orAborted(new Promise(() => {}), over.signal), /late/);
  using _never = deadline(3_600_000);
});
