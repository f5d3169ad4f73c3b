/** Keys that stand twice in one object of a JSON text. Pure. */
import type { Node } from "jsonc-parser";
import { shortened } from "./utf8.ts";

/** A key's second place. */
export interface DoubleKey {
  readonly path: readonly PropertyKey[];
  readonly offset: number;
  readonly text: string;
}

/** They are told since a reader of JSON silently takes the last of them; `most` of them at most. */
export function doubleKeys(root: Node | undefined, most: number): DoubleKey[] {
  const found: DoubleKey[] = [];
  const open = [{ node: root, path: [] as PropertyKey[] }];
  for (let next = open.pop(); next && found.length < most; next = open.pop()) {
    const { node, path } = next;
    const keys = new Set<string>();
    (node?.children ?? []).forEach((child, index) => {
      const key = node!.type === "object" ? child.children![0]!.value as string : index;
      if (typeof key === "string" && keys.has(key)) {
        const text = `the key ${shortened(key)} stands twice`;
        found.push({ path: [...path, key], text, offset: child.offset });
      }
      if (typeof key === "string") keys.add(key);
      const value = node!.type === "object" ? child.children![1] : child;
      if (value?.children) open.push({ node: value, path: [...path, key] });
    });
  }
  return found;
}
