/** Cuts texts to what GitHub accepts. */
import { byteLength, cutToBytes } from "../text/utf8.ts";

/** UTF-16 units of a status's description (GitHub docs, "Create a commit status": 140 characters). */
const MAX_DESCRIPTION = 140;
/**
 * Bytes of a check run's summary and of its text. GitHub says 65,535 "characters"; bytes in UTF-8 are
 * never fewer than those, however it counts.
 */
const MAX_OUTPUT_BYTES = 65_535;
/** Bytes of a comment; GitHub allows 65,536 characters. */
const MAX_COMMENT_BYTES = 65_535;
/** UTF-16 units of a check run's title; GitHub names no limit and shows one line. */
const MAX_TITLE = 255;
/** Shown where a text was cut. */
const CUT = "\n\n… cut here";

// deno-lint-ignore no-control-regex
const UNSEEN = /[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A status description: one line of at most 140 UTF-16 units. */
export function statusDescription(text: string): string {
  return shorten(oneLine(text), MAX_DESCRIPTION);
}

/** A check run's title. */
export function checkRunTitle(text: string): string {
  return shorten(oneLine(text), MAX_TITLE);
}

/** A check run's summary or text. */
export function checkRunText(text: string): string {
  return shortenBytes(clean(text), MAX_OUTPUT_BYTES);
}

/** The text of a comment. */
export function commentText(text: string): string {
  return shortenBytes(clean(text), MAX_COMMENT_BYTES);
}

/** One line, without what hides text or turns its direction round: file names and titles stand in it. */
function oneLine(text: string): string {
  return clean(text).replaceAll(/\s+/g, " ").replaceAll(UNSEEN, "").trim();
}

/** GitHub refuses NUL, and half a surrogate pair is no character. */
function clean(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}

function shorten(text: string, units: number): string {
  if (text.length <= units) return text;
  return `${whole(text.slice(0, units - 1)).trimEnd()}…`;
}

/** Without the half of a surrogate pair that a cut leaves at the end. */
function whole(text: string): string {
  return /[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text;
}

function shortenBytes(text: string, bytes: number): string {
  if (cutToBytes(text, bytes) === text) return text;
  return cutToBytes(text, bytes - byteLength(CUT)) + CUT;
}
