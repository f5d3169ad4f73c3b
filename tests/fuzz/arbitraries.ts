/** What hostile input looks like: texts people attack with, JSON with parts swapped, bytes with bits flipped. */
import fc from "fast-check";

/** A JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Texts that broke something somewhere; `tests/data/fuzz` grows with every one that breaks something here. */
export const HOSTILE_TEXTS: readonly string[] = JSON.parse(
  Deno.readTextFileSync(new URL("../data/fuzz/strings.json", import.meta.url)),
);

const KIB = 1_024;

/** Any text: the collection's, random ones of every plane with lone surrogates, long ones of one pattern. */
export function hostileText(): fc.Arbitrary<string> {
  const unit = fc.string({ unit: "binary", maxLength: 40 });
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
    { weight: 3, arbitrary: unit },
    {
      weight: 1,
      arbitrary: fc.array(fc.nat(0xffff), { maxLength: 20 }).map((codes) =>
        String.fromCharCode(...codes)
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(...HOSTILE_TEXTS), fc.integer({ min: 1, max: 20 * KIB }))
        .map(([text, length]) => text.repeat(Math.ceil(length / (text.length || 1)))),
    },
  );
}

/** Any JSON value, hostile texts and numbers at the edges among it. */
export function hostileJson(): fc.Arbitrary<Json> {
  const edge = fc.constantFrom<Json>(
    null,
    true,
    0,
    -0,
    -1,
    1.5,
    1e308,
    Number.MAX_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER + 2,
    -(2 ** 31),
    2 ** 32,
    [],
    {},
    [[]],
    "",
  );
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      edge,
      hostileText(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(hostileText(), tie("value"), { maxKeys: 4 }),
    ),
  }));
  return value;
}

type Change =
  | { readonly kind: "replace" | "insert"; readonly at: number; readonly value: Json }
  | { readonly kind: "delete" | "repeat" | "deepen"; readonly at: number; readonly times: number };

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("replace" as const, "insert" as const),
    at: fc.nat(),
    value: hostileJson(),
  }),
  fc.record({
    kind: fc.constantFrom("delete" as const, "repeat" as const, "deepen" as const),
    at: fc.nat(),
    times: fc.integer({ min: 1, max: 1_000 }),
  }),
);

/** A valid sample with one to four parts replaced, deleted, repeated, nested or added. */
export function mutated(samples: readonly Json[]): fc.Arbitrary<Json> {
  return fc.tuple(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([sample, changes]) => changes.reduce<Json>(apply, structuredClone(sample)));
}

/** Places where something stands: its holder and its key there. */
function places(root: Json): { holder: Record<string, Json>; key: string }[] {
  const found: { holder: Record<string, Json>; key: string }[] = [];
  const waiting: Json[] = [root];
  while (waiting.length > 0 && found.length < 5_000) {
    const holder = waiting.pop();
    if (holder === null || typeof holder !== "object") continue;
    for (const key of Object.keys(holder)) {
      found.push({ holder: holder as Record<string, Json>, key });
      waiting.push((holder as Record<string, Json>)[key]!);
    }
  }
  return found;
}

function apply(root: Json, change: Change): Json {
  const all = places(root);
  if (all.length === 0) return change.kind === "replace" ? change.value : root;
  const { holder, key } = all[change.at % all.length]!;
  switch (change.kind) {
    case "replace":
      holder[key] = structuredClone(change.value);
      break;
    case "insert":
      Object.defineProperty(holder, Array.isArray(holder) ? holder.length : `${key}x`, {
        value: structuredClone(change.value),
        enumerable: true,
        configurable: true,
        writable: true,
      });
      break;
    case "delete":
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      break;
    case "repeat":
      holder[key] = repeated(holder[key]!, change.times);
      break;
    case "deepen":
      for (let level = 0; level < change.times; level++) holder[key] = [holder[key]!];
  }
  return root;
}

/** Large enough to pass every limit, small enough for the fuzzer itself. */
const MAX_REPEATED = 200 * KIB;

function repeated(value: Json, times: number): Json {
  if (typeof value === "string") return value.repeat(times).slice(0, MAX_REPEATED);
  const size = JSON.stringify(value).length + 1;
  const copies = Math.min(times, Math.floor(MAX_REPEATED / size));
  return Array.from({ length: copies }, () => structuredClone(value));
}

/** Bytes of a text with some of them changed, cut off or put in. */
export function mutatedBytes(samples: readonly Json[]): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const edit = fc.record({
    at: fc.nat(),
    cut: fc.nat(20),
    put: fc.uint8Array({ maxLength: 8 }),
  });
  return fc.tuple(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 5 }))
    .map(([sample, edits]) => {
      let bytes: number[] = [...new TextEncoder().encode(JSON.stringify(sample))];
      for (const { at, cut, put } of edits) {
        const start = bytes.length === 0 ? 0 : at % bytes.length;
        bytes = [...bytes.slice(0, start), ...put, ...bytes.slice(start + cut)];
      }
      return new Uint8Array(bytes);
    });
}
