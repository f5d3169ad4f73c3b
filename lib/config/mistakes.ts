/** Words for what is wrong with a configuration. */
import { isAbsolute, resolve } from "node:path";
import type * as z from "zod";
import { ConfigSchema } from "./schema.ts";

/** One line for each mistake: where it stands, what is allowed, what was found. */
export function describeIssue(issue: z.core.$ZodIssue, root: unknown): string[] {
  const at = issue.path
    .map((part) => typeof part === "number" ? `[${part}]` : `.${shortened(String(part))}`)
    .join("").replace(/^\./, "") || "the file";
  if (issue.code === "unrecognized_keys") {
    const place = issue.path.length === 0 ? "" : `${at}.`;
    return issue.keys.map((key) =>
      `${place}${shortened(key)}: no such key${suggestion(issue.path)}`
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
  return [`${at}: ${lowerFirst(issue.message)}; found ${shown(found)}`];
}

function lowerFirst(text: string): string {
  const message = text.replace(/^Invalid input: /, "").replace(/, received .*$/, "");
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** A value as it stands in the file, cut short. */
export function shown(value: unknown): string {
  return shortened(JSON.stringify(value) ?? String(value));
}

/** A path as it was written and, unless that is absolute, where it was looked for. */
export function shownPath(written: string, path = written): string {
  return isAbsolute(written) ? written : `${written} (${resolve(path)})`;
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Names the allowed keys of the place a wrong one was found in. */
function suggestion(path: readonly PropertyKey[]): string {
  // deno-lint-ignore no-explicit-any
  let schema: any = ConfigSchema;
  for (const part of path) {
    while (schema?.unwrap) schema = schema.unwrap();
    schema = typeof part === "number" ? schema?.element : schema?.shape?.[part as string];
  }
  while (schema?.unwrap) schema = schema.unwrap();
  const keys = Object.keys(schema?.shape ?? {}).filter((name) => name !== "$schema");
  return keys.length === 0 ? "" : `; allowed: ${keys.join(", ")}`;
}
