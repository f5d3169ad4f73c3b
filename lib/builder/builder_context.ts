/** What a builder needs to build, and where its folders are. */
import { join, resolve } from "node:path";
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
  /** Commands that one build may run at the same time. */
  readonly parallelism: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A fresh random identifier. */
  readonly newId: () => string;
}

/** The configuration's `checkout.root`, absolute. */
export function checkoutRoot(config: Pick<Config, "checkout">): string {
  return resolve(config.checkout!.root);
}

/** The folder that contains the jobs' folders. */
export function jobsRoot(config: Pick<Config, "checkout">): string {
  return join(checkoutRoot(config), "jobs");
}
