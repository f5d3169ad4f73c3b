import { Buffer, isAscii } from "node:buffer";
import type * as z from "zod";

/** Bytes above which a message is refused before parsing: GitHub's 25 MiB and a margin. */
const MAX_MESSAGE_BYTES = 26 * 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A message as bytes. */
export function encode(message: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(message));
}

/**
 * Decodes UTF-8. Throws for invalid bytes. Nearly all JSON is ASCII, for which latin1 costs a
 * sixth, and which then parses faster because each character is one byte.
 */
export function decodeText(bytes: Uint8Array): string {
  if (!isAscii(bytes)) return decoder.decode(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Parses JSON from outside. Throws an Error that does not quote the content. */
export function parseJson(body: Uint8Array): unknown {
  if (body.byteLength > MAX_MESSAGE_BYTES) {
    throw new Error(`Cannot read message: ${body.byteLength} bytes, at most ${MAX_MESSAGE_BYTES}`);
  }
  let text: string;
  try {
    text = decodeText(body);
  } catch {
    throw new Error("Cannot read message: not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("Cannot read message: not JSON");
  }
}

/** Decodes a message by its schema. Throws an Error that names up to five wrong fields. */
export function decode<S extends z.ZodType>(schema: S, body: Uint8Array): z.output<S> {
  return decodeValue(schema, parseJson(body));
}

/** Like {@link decode} for parsed JSON: for messages whose fields decide their type. */
export function decodeValue<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 5).map((issue) =>
    `${issue.path.join(".") || "message"}: ${issue.message}`
  );
  throw new Error(`Cannot decode message: ${issues.join("; ")}`);
}
