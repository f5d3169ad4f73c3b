/** Cuts texts to GitHub's limits. */
import { byteLength, cutToBytes } from "../text/utf8.ts";

/** UTF-16 units of a status's description (GitHub docs, "Create a commit status": 140 characters). */
const MAX_DESCRIPTION = 140;
/**
 * Bytes of a check run's summary and of its text. GitHub's limit is 65,535 "characters", which are
 * never more than the bytes in UTF-8.
 */
const MAX_OUTPUT_BYTES = 65_535;
/** Bytes of a comment; GitHub allows 65,536 characters. */
const MAX_COMMENT_BYTES = 65_535;
/** UTF-16 units of a check run's title; GitHub documents no limit and shows one line. */
const MAX_TITLE = 255;
const CUT = "\n\n… cut here";

// deno-lint-ignore no-control-regex
const UNSEEN = /[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A status description: one line of at most 140 UTF-16 units. */
export function statusDescription(text: string): string {
  return shorten(oneLine(text), MAX_DESCRIPTION);
}

export function checkRunTitle(text: string): string {
  return shorten(oneLine(text), MAX_TITLE);
}

export function checkRunText(text: string): string {
  return shortenBytes(clean(text), MAX_OUTPUT_BYTES);
}

export function commentText(text: string): string {
  return shortenBytes(clean(text), MAX_COMMENT_BYTES);
}

/** One line without invisible or direction-changing characters: file names and titles are hostile. */
function oneLine(text: string): string {
  return clean(text).replaceAll(/\s+/g, " ").replaceAll(UNSEEN, "").trim();
}

/** GitHub refuses NUL, and lone surrogates are invalid. */
function clean(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}

function shorten(text: string, units: number): string {
  if (text.length <= units) return text;
  return `${whole(text.slice(0, units - 1)).trimEnd()}…`;
}

/** Removes the half of a surrogate pair at the end. */
function whole(text: string): string {
  return /[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text;
}

function shortenBytes(text: string, bytes: number): string {
  if (cutToBytes(text, bytes) === text) return text;
  return cutToBytes(text, bytes - byteLength(CUT)) + CUT;
}
