/** One thing has one name: the glossary's words are used, and abandoned ones do not come back. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ABANDONED_FIELDS, ABANDONED_NAMES, ABANDONED_PARTS } from "./abandoned_words.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Texts of others, what was, and this rule itself. */
const SKIPPED =
  /^(\.git|node_modules|dist|coverage|secrets|config|\.tickborg|tests\/data)(\/|$)|^CHANGELOG\.md$|words(_test)?\.ts$/;

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(`${root}/${folder}`)].flatMap(({ name, isDirectory }) => {
    const path = folder === "." ? name : `${folder}/${name}`;
    if (SKIPPED.test(path)) return [];
    return isDirectory ? filesIn(path) : /\.(ts|js|md)$/.test(path) ? [path] : [];
  });
}

const files = filesIn(".").map((path) => ({ path, text: Deno.readTextFileSync(root + path) }));
const shipped = files.filter(({ path }) => /^(lib|services|commands|deploy|main\.ts)/.test(path));

/** `CheckRunKeeper` and `KEEPER_MS` in parts, in lower case: `check run keeper`, `keeper ms`. */
function inParts(text: string): string {
  return text.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2").replaceAll(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .replaceAll("_", " ").toLowerCase();
}

Deno.test("every word of the glossary is used", () => {
  const page = files.find(({ path }) => path === "docs/architecture.md")!.text;
  const glossary = page.slice(page.indexOf("## Glossary"));
  const rows = [...glossary.matchAll(/^\| ([a-z][^|]*) \|/gm)].map(([, words]) => words!);
  const words = rows.flatMap((row) => row.split(", ")).filter((word) => word !== "word");
  assert.ok(words.length > 30, `${words.length} words`);
  assert.deepEqual(words, [...new Set(words)], "a word twice");
  const rest = inParts(
    files.filter(({ path }) => /^(lib|services|commands|testing|tests|docs)\//.test(path))
      .map(({ path, text }) => path === "docs/architecture.md" ? text.replace(glossary, "") : text)
      .join("\n"),
  );
  const unused = words.filter((word) =>
    !new RegExp(`\\b${word.replaceAll(" ", "[\\s_-]+")}(s|d|ed)?\\b`).test(rest)
  );
  assert.deepEqual(unused, []);
});

/** Comments, and strings in double quotes. */
const PROSE = /\/\*[^]*?\*\/|\/\/ .*|"[^"\n]*"/g;

Deno.test("no abandoned word has come back", () => {
  const found = files.flatMap(({ path, text }) => {
    const parts = new Set(inParts(text).match(/[a-z]+/g));
    const names = new Set(text.replaceAll(PROSE, "").match(/[A-Za-z_]\w*/g));
    return [
      ...ABANDONED_PARTS.filter(({ word, except }) => parts.has(word) && !except?.test(path))
        .map(({ word, instead }) => `${path}: ${word}; write ${instead}`),
      ...Object.entries(ABANDONED_NAMES).filter(([name]) => path.endsWith(".ts") && names.has(name))
        .map(([name, instead]) => `${path}: ${name}; write ${instead}`),
    ];
  });
  assert.deepEqual(found, []);
});

/** `log.info("…", { a, b: 1 })`, and the fields that several calls share, up to the end of the statement. */
const LOG_CALL =
  /\b(?:log\.(?:debug|info|warn|error|fatal)\(|const (?:fields|told) = \{)([^;]*?);/g;

Deno.test("a log field has one name", () => {
  const calls = shipped.flatMap(({ path, text }) =>
    [...text.matchAll(LOG_CALL)].map(([, call]) => ({ path, call: call! }))
  );
  assert.ok(calls.length > 60, `${calls.length} calls`);
  const found = calls.flatMap(({ path, call }) =>
    Object.entries(ABANDONED_FIELDS)
      .filter(([field]) => new RegExp(`(?:^|[{,])\\s*${field}\\s*[:,}]`).test(call))
      .map(([field, instead]) => `${path}: field ${field}; write ${instead}`)
  );
  assert.deepEqual(found, []);
});
