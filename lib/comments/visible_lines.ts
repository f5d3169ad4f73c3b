/**
 * Finds the visible plain text of a comment, line by line. Parses Markdown like CommonMark and HTML
 * like a browser, because GitHub renders one into the other. Pure.
 */
import { Parser } from "htmlparser2";
import MarkdownIt from "markdown-it";

/** The part of markdown-it's tokens that we use. */
interface Token {
  readonly type: string;
  /** The element it becomes. */
  readonly tag: string;
  /** 1 opens, -1 closes, 0 is self-contained. */
  readonly nesting: number;
  readonly markup: string;
  readonly content: string;
  readonly children: readonly Token[] | null;
}

/**
 * Tables are paragraphs here: rows need no leading `|`, so a command right below a table would be a
 * row. Escapes and entities stay separate from text.
 */
const markdown = new MarkdownIt({ html: true }).disable(["table", "text_join"]);

/** Elements whose text is code, quoted, struck out or hidden. */
const HIDING: ReadonlySet<string> = new Set(
  ("blockquote q pre code kbd samp tt del s strike script style title textarea template iframe " +
    "noembed noframes noscript plaintext xmp svg math").split(" "),
);

/** Marks a line that does not begin with plain text. */
const MARK = "\ufffc";

/** A private character, to test whether the HTML parser treats input as text. */
const PROBE = "\ue000";

/**
 * The lines as people see them. A line that begins with markup (a list marker, `**`, a link, code,
 * a tag, an escape) begins with a marker character.
 */
export function visibleLines(comment: string): readonly string[] {
  const page = new Page();
  for (const token of markdown.parse(comment, {}) as Token[]) readBlock(token, page);
  return page.lines;
}

function readBlock(token: Token, page: Page): void {
  const { type, nesting, tag, content } = token;
  if (type === "inline") token.children?.forEach((child) => readInline(child, page));
  else if (type === "html_block") page.html(content);
  else if (nesting !== 0) page.element(tag, nesting === 1);
  const marked = type === "list_item_open" || (type === "heading_open" && token.markup[0] === "#");
  if (marked) page.mark();
  if (nesting !== 1 && type !== "inline") page.endLine();
}

function readInline(token: Token, page: Page): void {
  const { type, content, nesting, tag } = token;
  switch (type) {
    case "text":
      return page.text(content);
    case "softbreak":
    case "hardbreak":
      return page.endLine();
    case "html_inline":
      return page.html(content);
  }
  if (type !== "text_special" || content.trim() !== "") page.mark();
  if (nesting !== 0) page.element(tag, nesting === 1);
  else if (type !== "image") page.text(inert(content));
}

/** Code and escapes cannot mention the bot or end a line. */
function inert(text: string): string {
  return text.replaceAll("@", MARK).replaceAll(/\s/g, " ");
}

/** The visible text so far, and the state of the HTML. */
class Page {
  readonly lines: string[] = [""];
  /** Whether the last line has begun. */
  #begun = false;
  /** Number of open hiding elements. */
  #hiding = 0;
  #probed = false;
  /** Whether the HTML parser's input is HTML from the comment. */
  #written = false;
  readonly #parser: Parser;

  constructor() {
    const count = (name: string, change: number) => {
      if (HIDING.has(name)) this.#hiding += change;
    };
    this.#parser = new Parser({
      onopentagname: (name) => count(name, 1),
      onclosetag: (name) => count(name, -1),
      ontext: (text) => {
        if (!this.#written) this.#probed = true;
        else if (this.#hiding === 0) this.#add(text);
      },
    }, { decodeEntities: false });
  }

  /** HTML in the comment. */
  html(source: string): void {
    this.#written = true;
    for (const line of source.split(/(?<=\n)/)) {
      if (line.trimStart().startsWith("<")) this.mark();
      this.#parser.write(line);
    }
    this.#written = false;
  }

  /** An element from Markdown. */
  element(name: string, opens: boolean): void {
    this.#parser.write(opens ? `<${name}>` : `</${name}>`);
  }

  /** Text outside of HTML; a surrounding comment, tag or element may hide it. */
  text(text: string): void {
    this.#probed = false;
    this.#parser.write(PROBE);
    if (this.#probed && this.#hiding === 0) this.#add(text);
  }

  /** Marks an empty line as not beginning with plain text. */
  mark(): void {
    if (!this.#begun) this.#add(MARK);
  }

  endLine(): void {
    this.lines.push("");
    this.#begun = false;
  }

  #add(text: string): void {
    text.split("\n").forEach((part, index) => {
      if (index > 0) this.endLine();
      this.lines[this.lines.length - 1] += part;
      this.#begun ||= /[^\s\p{Cf}]/u.test(part);
    });
  }
}
