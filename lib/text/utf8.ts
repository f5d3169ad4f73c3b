/** Texts by the bytes they take in UTF-8. */

const encoder = new TextEncoder();

/** The longest beginning of a text that takes no more than so many bytes; no character is cut in two. */
export function cutToBytes(text: string, bytes: number): string {
  // A UTF-16 unit takes three bytes at most.
  if (text.length <= bytes / 3) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(bytes)).read);
}

/** The bytes that a text takes. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** A text of at most `most` characters, with `…` where it was cut. */
export function shortened(text: string, most = 80): string {
  return text.length > most ? `${text.slice(0, most - 3)}…` : text;
}

/** `1 build`, `2 builds`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
