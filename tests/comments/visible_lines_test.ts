/** Commands in Markdown: what GitHub shows as plain text at the start of a line, and nothing else. */
import assert from "node:assert/strict";
import { parseCommands } from "../../lib/comments/command.ts";
import { cost } from "../support/cost.ts";

const B = "@tickbot build core";

/** The projects that the commands of a comment name, or the kind of what is no build. */
function heard(comment: string): string[] {
  return parseCommands(comment, "@tickbot")
    .map((it) => it.kind === "build" || it.kind === "test" ? it.projects.join(" ") : it.kind);
}

const table: [what: string, comment: string, heard: string[]][] = [
  // Code.
  ["a fence in a list item", `1. Say:\n   \`\`\`\n   ${B}\n   \`\`\`\n2. wait`, []],
  ["a fence on a list item's own line", `- \`\`\`\n  ${B}\n  \`\`\``, []],
  ["a fence on a numbered item's line", `1. \`\`\`sh\n   ${B}\n   \`\`\``, []],
  ["a command below such a fence", `- \`\`\`\n  make\n  \`\`\`\n\n${B}`, ["core"]],
  ["a command right below such a fence", `- \`\`\`\n  make\n  \`\`\`\n${B}`, ["core"]],
  ["a fence that nothing closes", `\`\`\`\n${B}`, []],
  ["a fence that the list's end closes", `- \`\`\`\n  make\n\n${B}`, ["core"]],
  ["a suggestion", `\`\`\`suggestion\n${B}\n\`\`\``, []],
  ["indented code", `Write\n\n    ${B}\n\nand wait`, []],
  ["code indented by a tab", `Write\n\n\t${B}`, []],
  ["a paragraph's indented line is no code", `Write\n        ${B}`, ["core"]],
  ["indented code in a list item", `- a\n\n      ${B}`, []],
  ["inline code", `\`${B}\``, []],
  ["inline code over lines", `Use \`\` \n${B}\n\`\` please`, []],
  ["an escaped backtick opens no code", `a \\\`\n${B}\n\\\``, ["core"]],
  ["<pre>", `<pre>\n${B}\n</pre>`, []],
  ["<pre> with blank lines", `<pre>\n\n${B}\n\n</pre>\n\n@tickbot eval`, ["eval"]],
  ["<code> around a paragraph", `<code>\n\n${B}\n\n</code>`, []],
  ["<code> in a line", `<code>${B}</code>`, []],
  ["a tag in inline code opens nothing", `Use \`<pre>\` here\n\n${B}`, ["core"]],
  ["a tag in a fence opens nothing", `\`\`\`\n<blockquote>\n\`\`\`\n${B}`, ["core"]],
  // Quotes.
  ["a quote", `> ${B}`, []],
  ["a quote in a quote", `>> ${B}`, []],
  ["an email's quote", `On Mon, somebody wrote:\n\n> ${B}\n>\n> thanks\n\nLooks good`, []],
  ["a line that continues a quote", `> quoted\n${B}`, []],
  ["a blank line ends a quote", `> quoted\n\n${B}`, ["core"]],
  ["a fence in a quote ends with it", `> \`\`\`\n> x\n${B}`, ["core"]],
  ["a quote in a list item", `- > ${B}\n\n${B}`, ["core"]],
  ["<blockquote>", `<blockquote>\n\n${B}\n\n</blockquote>\n\n@tickbot eval`, ["eval"]],
  ["<BLOCKQUOTE attributes>", `<BLOCKQUOTE cite="x">\n${B}\n</BLOCKQUOTE>`, []],
  ["<blockquote> in a list item ends with it", `- <blockquote>\n\n  ${B}\n\n${B}`, ["core"]],
  // What is not shown, or struck out.
  ["an HTML comment", `<!-- ${B} -->`, []],
  ["an HTML comment over lines", `<!--\n${B}\n-->`, []],
  ["a comment that opens behind another", `<!-- a --> <!--\n${B}\n-->`, []],
  ["a comment that nothing closes", `<!-- a\n\n${B}`, []],
  ["a comment within a line", `a <!-- b\n${B}\n--> c`, []],
  ["an attribute", `<a title="\n${B}\n">x</a>`, []],
  ["a tag that nothing closes", `<div title="\n${B}\n`, []],
  ["struck out", `~~never\n${B}~~`, []],
  ["<script>", `<script>\n${B}\n</script>`, []],
  ["a link's definition", `[x]: y '\n${B}'`, []],
  // What does not begin its line.
  ["a list item", `- ${B}`, []],
  ["a nested list item", `- a\n  1. ${B}`, []],
  ["a task", `- [ ] ${B}`, []],
  ["a heading", `# ${B}`, []],
  ["a table's cell", `| a |\n|---|\n| ${B} |`, []],
  ["bold", `**${B}**`, []],
  ["a link", "[@tickbot](https://example.com) build core", []],
  ["an escape", `\\${B}`, []],
  ["an entity", "&#64;tickbot build core", []],
  ["an entity in HTML", "<div>\n&#64;tickbot build core\n</div>", []],
  ["an entity that is a line's end", `a&#10;${B}`, []],
  ["an image", `![x](y) ${B}`, []],
  ["a tag", `<b>${B}</b>`, []],
  ["a tag that ends", `</details> ${B}`, []],
  ["behind a comment", `<!-- a --> ${B}`, []],
  ["behind a comment's end", `<!-- a\n--> ${B}`, []],
  ["behind a tag's end", `<div class="\n"> ${B}\n</div>`, []],
  ["behind a quote's end", `<blockquote>\na\n</blockquote> ${B}`, []],
  ["a footnote", `[^1]: ${B}`, []],
  // What does.
  ["a heading underlined", `${B}\n---`, ["core"]],
  ["a list item's later line", `- please\n  ${B}`, ["core"]],
  ["a list item's later paragraph", `1. please\n\n   ${B}`, ["core"]],
  ["below a table", `a | b\n--|--\n1 | 2\n${B}`, ["core"]],
  ["<details>", `<details><summary>x</summary>\n\n${B}\n\n</details>`, ["core"]],
  ["<details> without blank lines", `<details>\n${B}\n</details>`, ["core"]],
  ["hard line breaks", `a  \n${B}  \nb\\\n@tickbot eval`, ["core", "eval"]],
  ["below a comment", `<!-- a -->\n${B}`, ["core"]],
  ["below a quote in HTML", `<blockquote>\na\n</blockquote>\n${B}`, ["core"]],
  ["<br>", `a<br>\n${B}<br>\nb`, ["core"]],
  ["CRLF", `a\r\n\r\n${B}\r\n\r\n\`\`\`\r\n${B}\r\n\`\`\`\r\n`, ["core"]],
  ["CR", `a\r${B}\r`, ["core"]],
  ["a rule", `---\n${B}`, ["core"]],
  // What stands behind it.
  ["a name in code", "@tickbot build `core` **app** [lib](x)", ["core app lib"]],
  ["the handle in code", "@tickbot build core `@tickbot eval`", ["core \ufffctickbot eval"]],
  ["an escaped handle", "@tickbot build core \\@tickbot", ["core \ufffctickbot"]],
  ["an escaped underscore", "@tickbot build my\\_core my_app", ["my_core my_app"]],
  ["an HTML comment", "@tickbot build core <!-- app -->", ["core"]],
];

for (const [what, comment, expected] of table) {
  Deno.test(`Markdown: ${what}: ${JSON.stringify(comment)}`, () => {
    assert.deepEqual(heard(comment), expected);
  });
}

/** As much of a text as a comment holds, before and behind a command. */
const full = (unit: string) => unit.repeat(Math.floor(65_000 / unit.length));
const nested = (line: (depth: number) => string) =>
  Array.from({ length: 350 }, (_, depth) => line(depth)).join("");

const HOSTILE: Record<string, string> = {
  quotes: full(">"),
  "spaced quotes": full("> "),
  lists: full("- "),
  "numbered lists": full("1) "),
  "lists in quotes": full("> - "),
  "lists of lists": nested((depth) => `${" ".repeat(depth)}- a\n`),
  "quotes of quotes": nested((depth) => `${">".repeat(depth)} a\n`),
  "a deep quote that goes on": `${">".repeat(1_000)}a\n${"b\n".repeat(30_000)}`,
  brackets: full("["),
  images: full("!["),
  links: full("[a]("),
  "links within links": "[".repeat(30_000) + "](a)".repeat(8_000),
  emphasis: full("*a_ "),
  "code spans of every length": nested((depth) => `${"`".repeat(depth % 180)} `),
  tags: full("<b>"),
  "tags that never end": full('<a b="'),
  "open and close": `${"<blockquote>".repeat(2_500)}\n\n${"</pre>".repeat(5_000)}`,
  "HTML comments": full("<!--"),
  definitions: full("[a]: b\n"),
  tables: `a|b\n-|-\n${full("x|y\n")}`,
  entities: full("&amp;"),
  blanks: full(" "),
  "line ends": full("\n"),
  dots: `${full(".")}x`,
  "blanks before tags": " ".repeat(30_000) + "<b>".repeat(10_000),
};

/** A comment of the same length that anybody might write. */
const PROSE = full("The quick brown fox *jumps* over the lazy `dog`.\n");

function readTwice(text: string): void {
  parseCommands(`@tickbot ${text}`, "@tickbot");
  parseCommands(`${text}\n\n@tickbot build core`, "@tickbot");
}

for (const [what, text] of Object.entries(HOSTILE)) {
  Deno.test(`a comment full of ${what} costs a small multiple of prose and does not fill the stack`, async () => {
    const times = await cost(() => readTwice(text)) / await cost(() => readTwice(PROSE));
    assert.ok(times < 100, `${times.toFixed(1)} times as much as prose`);
  });
}
