/** A text of at most `most` characters, with `…` where it was cut. */
export function shortened(text: string, most = 80): string {
  return text.length > most ? `${text.slice(0, most - 3)}…` : text;
}
