/** Finds duplicate keys in JSON. Pure. */
import type { Node } from "jsonc-parser";
import { shortened } from "./utf8.ts";

/** The second occurrence of a key. */
export interface DoubleKey {
  readonly path: readonly PropertyKey[];
  readonly offset: number;
  readonly text: string;
}

/** At most `most` duplicate keys, of which JSON parsers silently use the last. */
export function doubleKeys(root: Node | undefined, most: number): DoubleKey[] {
  const found: DoubleKey[] = [];
  const open = [{ node: root, path: [] as PropertyKey[] }];
  for (let next = open.pop(); next && found.length < most; next = open.pop()) {
    const { node, path } = next;
    const keys = new Set<string>();
    (node?.children ?? []).forEach((child, index) => {
      const key = node!.type === "object" ? child.children![0]!.value as string : index;
      if (typeof key === "string" && keys.has(key)) {
        const text = `duplicate key ${shortened(key)}`;
        found.push({ path: [...path, key], text, offset: child.offset });
      }
      if (typeof key === "string") keys.add(key);
      const value = node!.type === "object" ? child.children![1] : child;
      if (value?.children) open.push({ node: value, path: [...path, key] });
    });
  }
  return found;
}
