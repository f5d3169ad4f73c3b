/** What a builder builds with, and where. */
import { isAbsolute, join } from "node:path";
import type { Logger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import type { ProcessGuard } from "./sandbox/guard.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";

/** What all builds of a builder share. */
export interface BuilderContext {
  readonly config: Config;
  readonly sandbox: Sandbox;
  readonly guard: ProcessGuard;
  readonly log: Logger;
  /** Commands that one build may run at once. */
  readonly parallelism: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A fresh random identifier. */
  readonly newId: () => string;
}

/** The configuration's `checkout.root`, absolute. */
export function checkoutRoot(config: Pick<Config, "checkout">): string {
  const root = config.checkout!.root;
  return isAbsolute(root) ? root : join(Deno.cwd(), root);
}

/** The folder under which every job has its own. */
export function jobsRoot(config: Pick<Config, "checkout">): string {
  return join(checkoutRoot(config), "jobs");
}
