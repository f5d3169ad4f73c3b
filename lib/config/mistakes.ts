/** Words for what is wrong with a configuration. */
import { isAbsolute, resolve } from "node:path";
import type * as z from "zod";
import { isSecretKey, redacted, secretIn } from "../text/redacted.ts";
import { shortened } from "../text/utf8.ts";
import { ConfigSchema } from "./schema.ts";

/** One line for each mistake in `root`: where it stands, what is allowed, what was found. */
export function describeIssue(
  issue: z.core.$ZodIssue,
  root: unknown,
  schema: z.ZodType = ConfigSchema,
): string[] {
  const at = keyAt(issue.path);
  if (issue.code === "unrecognized_keys") {
    const place = issue.path.length === 0 ? "" : `${at}.`;
    return issue.keys.map((key) =>
      `${place}${shownKey(key)}: no such key${suggestion(schema, issue.path)}`
    );
  }
  if (issue.code === "invalid_key") {
    return [`${at}: ${issue.issues[0]!.message}; found ${shown(issue.path.at(-1))}`];
  }
  const found = issue.path.reduce<unknown>(
    (value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part as string],
    root,
  );
  if (found === undefined) return [`${at}: missing; ${lowerFirst(issue.message)}`];
  // The value of a variable, or what stands where a secret's file belongs, may be the secret.
  const hidden = issue.path.some((part) => part === "extra_env" || isSecretKey(String(part)));
  return [`${at}: ${lowerFirst(issue.message)}; found ${hidden ? kindOf(found) : shown(found)}`];
}

/** A place in the file as people write it: `projects[1].name`. */
export function keyAt(path: readonly PropertyKey[]): string {
  return path
    .map((part) => typeof part === "number" ? `[${part}]` : `.${shownKey(String(part))}`)
    .join("").replace(/^\./, "") || "the file";
}

function shownKey(key: string): string {
  return secretIn(key) === undefined ? shortened(key) : "[hidden]";
}

function kindOf(value: unknown): string {
  if (typeof value === "string") return `a text of ${value.length} characters, not shown`;
  return `${Array.isArray(value) ? "a list" : typeof value}, not shown`;
}

function lowerFirst(text: string): string {
  const message = text.replace(/^Invalid input: /, "").replace(/, received .*$/, "");
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** A value as it stands in the file, cut short, without what may be secret. */
export function shown(value: unknown): string {
  const hide = (key: string, part: unknown) =>
    isSecretKey(key) || textsOf(part).some((text) => secretIn(text)) ? kindOf(part) : part;
  try {
    return shortened(redacted(JSON.stringify(value, hide) ?? String(value)));
  } catch (error) {
    // What is nested too deep to be written is no value that anybody meant.
    if (error instanceof RangeError) return kindOf(value);
    throw error;
  }
}

/** A text, or the names that an object's parts have. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return value instanceof Object && !Array.isArray(value) ? Object.keys(value) : [];
}

/** A path as it was written and, unless that is absolute, where it was looked for. */
export function shownPath(written: string, path = written): string {
  return isAbsolute(written) ? written : `${written} (${resolve(path)})`;
}

/** Names the allowed keys of the place a wrong one was found in. */
function suggestion(schema: z.ZodType, path: readonly PropertyKey[]): string {
  let place = unwrapped(schema);
  for (const part of path) {
    place = unwrapped(typeof part === "number" ? place?.element : place?.shape?.[part as string]);
  }
  const keys = Object.keys(place?.shape ?? {}).filter((name) => name !== "$schema");
  return keys.length === 0 ? "" : `; allowed: ${keys.join(", ")}`;
}

/** What an optional schema or one with a default is made of. A list can be unwrapped too, and is not. */
// deno-lint-ignore no-explicit-any
function unwrapped(schema: any): any {
  while (schema?.unwrap && !schema.element) schema = schema.unwrap();
  return schema;
}
