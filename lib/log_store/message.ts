/** Messages on the `logs` exchange. */
import { BuildLogBatch, BuildLogMsg, BuildLogStart } from "../messages/build_log.ts";
import { BuildResult } from "../messages/build_result.ts";
import { decodeValue, parseJson } from "../messages/codec.ts";

/** A message to the log store, with its kind. */
export type LogMessage =
  | { readonly kind: "start"; readonly start: BuildLogStart }
  | {
    readonly kind: "lines";
    readonly attempt: string;
    readonly first: number;
    readonly lines: readonly string[];
  }
  | { readonly kind: "result"; readonly result: BuildResult };

/** Decodes a message; its fields tell its kind. Throws an Error that names every wrong field. */
export function decodeLogMessage(body: Uint8Array): LogMessage {
  const value = parseJson(body);
  const fields = Object(value);
  if ("lines" in fields) {
    const batch = decodeValue(BuildLogBatch, value);
    const { attempt_id: attempt, line_number: first, lines } = batch;
    return { kind: "lines", attempt, first, lines };
  }
  if ("line_number" in fields) {
    const { attempt_id: attempt, line_number: first, output } = decodeValue(BuildLogMsg, value);
    return { kind: "lines", attempt, first, lines: [output] };
  }
  if ("request_id" in fields) return { kind: "result", result: decodeValue(BuildResult, value) };
  return { kind: "start", start: decodeValue(BuildLogStart, value) };
}
