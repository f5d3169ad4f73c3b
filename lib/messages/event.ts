import * as z from "zod";

/** A countable event in kebab case. Unknown ones are kept, and counted as bogus. */
export const StatsEvent = z.union([
  z.string().min(1).max(200),
  z.record(z.string().max(200), z.unknown()),
]);
export type StatsEvent = z.infer<typeof StatsEvent>;

/** Events counted by one sender. */
export const EventMessage = z.object({
  sender: z.string().max(200),
  events: z.array(StatsEvent).max(10_000),
});
export type EventMessage = z.infer<typeof EventMessage>;
