/** One assignment; several of one key are allowed, as systemd allows them. `why` becomes a comment. */
export interface Directive {
  readonly key: string;
  readonly value: string;
  readonly why?: string;
}

/** Shorthand for directives that need no reason. */
export function directives(pairs: Readonly<Record<string, string>>): Directive[] {
  return Object.entries(pairs).map(([key, value]) => ({ key, value }));
}
