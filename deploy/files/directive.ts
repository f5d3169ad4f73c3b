/** One assignment. A key may occur several times, as in systemd. `why` becomes a comment. */
export interface Directive {
  readonly key: string;
  readonly value: string;
  readonly why?: string;
}

/** Shorthand for directives without comments. */
export function directives(pairs: Readonly<Record<string, string>>): Directive[] {
  return Object.entries(pairs).map(([key, value]) => ({ key, value }));
}
