/** Keys that may be null in the Rust bot's files. */
import * as z from "zod";
import { ConfigSchema } from "./schema.ts";

const SECTIONS = Object.entries(ConfigSchema.shape);

/** Sections that may have their own broker connection. */
const WITH_BROKER = SECTIONS.filter(([, schema]) => {
  const section = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  return section instanceof z.ZodObject && "rabbitmq" in section.shape;
});

/** The Rust bot's options (`docs/protocol.md`, "Configuration"), as `parent.key`. */
const OPTIONS: ReadonlySet<string> = new Set([
  ...SECTIONS.map(([name]) => `.${name}`),
  ...WITH_BROKER.map(([name]) => `${name}.rabbitmq`),
  "rabbitmq.virtualhost",
  "push_filter.default_attrs",
  "runner.instance",
  "runner.disable_trusted_users",
  "runner.trusted_users",
  "runner.build_all_jobs",
  "build.extra_env",
]);

/**
 * Removes the Rust bot's options that are null, as serde does. The schema refuses any other null,
 * because it may be meant as a value or its key may be misspelled.
 */
export function withoutNulls(value: unknown, name = ""): unknown {
  if (!(value instanceof Object) || Array.isArray(value)) return value;
  const kept = Object.entries(value)
    .filter(([key, part]) => part !== null || !OPTIONS.has(`${name}.${key}`));
  return Object.fromEntries(kept.map(([key, part]) => [key, withoutNulls(part, key)]));
}
