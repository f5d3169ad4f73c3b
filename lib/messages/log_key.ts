/** Branch names in log keys, which are routing keys and folder names. */

/** Bytes of a log key (AMQP 0-9-1, short string). */
export const MAX_KEY_BYTES = 255;
/** Bytes of a part of it: a folder's name with room for suffixes. */
export const MAX_PART_BYTES = 220;

/** Characters that the log store refuses in names (`lib/log_store/paths.ts`), and blanks. */
// deno-lint-ignore no-control-regex
const ODD = /[\x00-\x1f\x7f-\x9f\\:\s\p{Cf}\p{Zl}\p{Zp}]/gu;

const encoder = new TextEncoder();

/**
 * A log key of `prefix` (`owner/repo.push.`) and `name`. A name that is too long or has invisible
 * characters is cleaned and cut, with a hash that keeps it unique.
 */
export function fittingKey(prefix: string, name: string): string {
  const clean = name.replaceAll(ODD, "-").toWellFormed();
  const room = Math.min(
    MAX_KEY_BYTES - bytesIn(prefix),
    MAX_PART_BYTES - bytesIn(prefix.slice(prefix.indexOf("/") + 1)),
  );
  if (clean === name && bytesIn(name) <= room) return prefix + name;
  const tail = `-${nameHash(name)}`;
  return prefix + cut(clean, room - tail.length) + tail;
}

function bytesIn(text: string): number {
  return encoder.encode(text).length;
}

/** The longest prefix of a text with at most so many bytes in UTF-8. */
function cut(text: string, bytes: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(Math.max(0, bytes)));
  return text.slice(0, read);
}

/** FNV-1a (64 bits), 16 hexadecimal digits: keeps names apart, not secrets. */
export function nameHash(text: string): string {
  let value = 0xcbf29ce484222325n;
  for (const byte of encoder.encode(text)) {
    value = BigInt.asUintN(64, (value ^ BigInt(byte)) * 0x100000001b3n);
  }
  return value.toString(16).padStart(16, "0");
}
