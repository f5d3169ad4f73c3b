/** Documents and the comments and strings of sources are in plain English, without the words of `tests/words.ts`. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { proseOf } from "./support/prose.ts";
import { filesIn } from "./support/sources.ts";
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

/** Folders whose sources are checked, and files of the root. */
const SOURCES = ["commands", "deploy", "lib", "services", "testing", "main.ts"];

Deno.test("the comments and strings of sources are in plain English", () => {
  const files = SOURCES.flatMap((path) => path.endsWith(".ts") ? [path] : filesIn(path, ""))
    .filter((path) => /\.(ts|sh|js|css|html)$/.test(path));
  assert.ok(files.length > 50, `${files.length} files`);
  const mistakes = files.flatMap((path) =>
    plainEnglishMistakes(proseOf(path, Deno.readTextFileSync(root + path)))
      .map((mistake) => `${path} ${mistake}`)
  );
  assert.equal(mistakes.join("\n"), "");
});

Deno.test("the English of a source is its comments and its strings", () => {
  const mistakesOf = (path: string, text: string) =>
    plainEnglishMistakes(proseOf(path, text)).map((mistake) => mistake.split(" is ")[0]);
  const script =
    "/**\n * Not for\n * good.\n */\nconst nobody = /alone/; // at\n// once, `anew`\n" +
    'f("for", "good", "beside it", `${nobody} lies in\nvain`, \'is "left" alone\');';
  const found = [
    'line 7: "beside"',
    'line 2: "for good"',
    'line 5: "at once"',
    'line 7: "in vain"',
  ];
  assert.deepEqual(mistakesOf("a.ts", script).toSorted(), found.toSorted());
  assert.deepEqual(mistakesOf("a.js", script).toSorted(), found.toSorted());
  assert.deepEqual(mistakesOf("a.sh", '#!/bin/sh\nanew=1 # anew\necho "told anew" $#anew'), [
    'line 2: "anew"',
    'line 3: "anew"',
  ]);
  assert.deepEqual(mistakesOf("a.css", ".anew { /* anew */ }"), ['line 1: "anew"']);
  const page = '<p class="anew" title="Open anew">Look anew</p><!-- anew -->';
  assert.equal(mistakesOf("a.html", page).length, 3);
});

Deno.test("a word that is not plain English is told with its line and what to write", () => {
  assert.deepEqual(plainEnglishMistakes("Good.\n\nIt is made\nanew, and\n\nfor ever."), [
    'line 4: "anew" is archaic; write: again',
    'line 6: "for ever" is archaic; write: forever',
  ]);
  assert.deepEqual(plainEnglishMistakes("`nobody` and\n```\nanew\n```\n[x](upon.md)"), []);
});
