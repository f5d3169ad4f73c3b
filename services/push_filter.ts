import type { RoleContext, Service } from "../lib/role.ts";

/** To be written. */
export function createService(_context: RoleContext): Promise<Service> {
  throw new Error("Not written yet");
}
