/** Dead letters as an operator sees them. */
import { createHash } from "node:crypto";
import { redacted } from "../text/redacted.ts";
import { cutToBytes } from "../text/utf8.ts";
import type { Delivery } from "./broker.ts";
import { HEADER } from "./envelope.ts";

/** A message that could not be handled. Any publisher can forge one, so trust no field. */
export interface DeadLetter {
  /** Twelve hexadecimal digits, the same each time it is read. */
  readonly id: string;
  /** When it died, ISO 8601; empty if unknown. */
  readonly time: string;
  readonly reason: string;
  /** The queue it came from; empty if unknown. */
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly tries: number;
  readonly bytes: number;
  /** Only when read with `whole`: its headers, and its body, in base64 if it is not UTF-8. */
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string;
  readonly bodyBase64?: string;
}

/** Selects dead letters: all if nothing is given. */
export interface Filter {
  readonly ids: readonly string[];
  readonly queue: string | undefined;
}

const MAX_SHOWN_BYTES = 64 * 1024;

/** Reads a delivery of the dead-letter queue; with `whole`, also its headers and body. */
export function readDeadLetter(delivery: Delivery, whole = false): DeadLetter {
  const { headers, body, exchange, routingKey, tries } = delivery;
  const text = (name: string) => typeof headers[name] === "string" ? headers[name] as string : "";
  const letter = {
    time: text(HEADER.time),
    reason: text(HEADER.reason),
    queue: text(HEADER.queue),
    exchange,
    routingKey,
    tries,
    bytes: body.byteLength,
  };
  return {
    id: createHash("sha256").update(JSON.stringify(letter)).update(body).digest("hex").slice(0, 12),
    ...letter,
    ...(whole ? { headers, ...bodyOf(body) } : {}),
  };
}

function bodyOf(body: Uint8Array): Pick<DeadLetter, "body" | "bodyBase64"> {
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body) };
  } catch {
    return { bodyBase64: body.toBase64() };
  }
}

/** Whether a filter selects a dead letter. */
export function selects({ ids, queue }: Filter, letter: DeadLetter): boolean {
  if (queue !== undefined && letter.queue !== queue) return false;
  return ids.length === 0 || ids.includes(letter.id);
}

/** Characters that control a terminal, or hide or reorder text. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** JSON without secrets and without characters that a terminal would obey or hide. */
export function jsonText(value: unknown): string {
  return redacted(JSON.stringify(value, null, 2)).replaceAll(UNSEEN, (character) => {
    if (character === "\n") return character;
    const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

/** A text for a terminal: one line, without secrets and characters that it would obey or hide. */
export function shown(text: string): string {
  return redacted(text.toWellFormed()).replaceAll(
    UNSEEN,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** The body for a terminal: JSON is indented, and a long body is cut. */
export function bodyText({ body, bodyBase64, bytes }: DeadLetter): string {
  const text = redacted(body === undefined ? `base64 ${bodyBase64 ?? ""}` : indented(body));
  const kept = cutToBytes(text, MAX_SHOWN_BYTES);
  const lines = kept.split("\n").map((line) => `  ${shown(line)}`);
  if (kept.length < text.length) {
    lines.push(`  … cut; all ${bytes} bytes are in the output of --json`);
  }
  return lines.join("\n");
}

function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
