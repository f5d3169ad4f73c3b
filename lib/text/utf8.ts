/** The size of texts in UTF-8. */

const encoder = new TextEncoder();

/** The longest prefix of a text with at most so many bytes; never cuts a character in two. */
export function cutToBytes(text: string, bytes: number): string {
  // A UTF-16 unit takes three bytes at most.
  if (text.length <= bytes / 3) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(bytes)).read);
}

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** A text cut to at most `most` characters, with `…` at the end. */
export function shortened(text: string, most = 80): string {
  return text.length > most ? `${text.slice(0, most - 3)}…` : text;
}

/** `1 build`, `2 builds`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
