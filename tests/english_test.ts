/** Documents are in plain English: none has a word of `tests/words.ts`. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { plainEnglishMistakes } from "./words.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Documents that people read, by their path from the root; `.git` and the folders of `.gitignore` have none. */
function pagesIn(folder: string): string[] {
  return [...Deno.readDirSync(root + folder)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) {
      return /^(docs|deploy|decisions|\.github|ISSUE_TEMPLATE)$/.test(name)
        ? pagesIn(`${folder}${name}/`)
        : [];
    }
    return name.endsWith(".md") ? [folder + name] : [];
  });
}

Deno.test("documents are in plain English", () => {
  const pages = pagesIn("");
  assert.ok(pages.length > 20, `${pages.length} pages`);
  const mistakes = pages.flatMap((page) =>
    plainEnglishMistakes(Deno.readTextFileSync(root + page)).map((mistake) => `${page} ${mistake}`)
  );
  assert.equal(mistakes.join("\n"), "");
});

Deno.test("a word that is not plain English is told with its line and what to write", () => {
  assert.deepEqual(plainEnglishMistakes("Good.\n\nIt is made\nanew, and\n\nfor ever."), [
    'line 4: "anew" is archaic; write: again',
    'line 6: "for ever" is archaic; write: forever',
  ]);
  assert.deepEqual(plainEnglishMistakes("`nobody` and\n```\nanew\n```\n[x](upon.md)"), []);
});
