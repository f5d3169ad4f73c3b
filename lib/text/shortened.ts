/** A text cut to at most `most` characters, with `…` at the end. */
export function shortened(text: string, most = 80): string {
  return text.length > most ? `${text.slice(0, most - 3)}…` : text;
}
