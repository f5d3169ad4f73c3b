/** Keys that a file of the Rust bot may have with null for their value. */
import * as z from "zod";
import { ConfigSchema } from "./schema.ts";

const SECTIONS = Object.entries(ConfigSchema.shape);

/** Sections with a broker connection of their own. */
const WITH_BROKER = SECTIONS.filter(([, schema]) => {
  const section = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  return section instanceof z.ZodObject && "rabbitmq" in section.shape;
});

/** The options of the Rust bot's file (`docs/protocol.md`, "Configuration"), by the key of what holds them. */
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
 * A file without the Rust bot's options that are null: serde takes them for absent. Any other null stays for
 * the schema to refuse, as it may be meant to say something, and as its key may be misspelt.
 */
export function withoutNulls(value: unknown, name = ""): unknown {
  if (!(value instanceof Object) || Array.isArray(value)) return value;
  const kept = Object.entries(value)
    .filter(([key, part]) => part !== null || !OPTIONS.has(`${name}.${key}`));
  return Object.fromEntries(kept.map(([key, part]) => [key, withoutNulls(part, key)]));
}
