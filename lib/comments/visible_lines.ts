/**
 * Finds what readers see of a comment as plain text, line by line. Markdown is read as CommonMark has it and
 * HTML as a browser does, because GitHub renders one into the other. Pure.
 */
import { Parser } from "htmlparser2";
import MarkdownIt from "markdown-it";

/** What is used of markdown-it's tokens. */
interface Token {
  readonly type: string;
  /** The element it becomes. */
  readonly tag: string;
  /** 1 opens, -1 closes, 0 is a thing of its own. */
  readonly nesting: number;
  readonly markup: string;
  readonly content: string;
  readonly children: readonly Token[] | null;
}

/**
 * A table is a paragraph here: its rows need no `|` before them, so a command right below a table would be one
 * of them. Escapes and entities stay apart from text.
 */
const markdown = new MarkdownIt({ html: true }).disable(["table", "text_join"]);

/** Elements whose text is code, quoted, struck out or not shown. */
const HIDING: ReadonlySet<string> = new Set(
  ("blockquote q pre code kbd samp tt del s strike script style title textarea template iframe " +
    "noembed noframes noscript plaintext xmp svg math").split(" "),
);

/** Stands for what a line begins with that is no plain text. */
const MARK = "\ufffc";

/** What the HTML parser is asked with whether it takes text as text. A private character. */
const PROBE = "\ue000";

/**
 * The lines as people see them. One that begins with markup (a list's marker, `**`, a link, code, a tag, an
 * escape) begins with a character that is none of its text.
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

/** Code and escapes address nobody and end no line, whatever they hold. */
function inert(text: string): string {
  return text.replaceAll("@", MARK).replaceAll(/\s/g, " ");
}

/** What is seen so far, and the HTML that is open. */
class Page {
  readonly lines: string[] = [""];
  /** Whether the last line has begun. */
  #begun = false;
  /** Elements that hide and are open. */
  #hiding = 0;
  #probed = false;
  /** Whether what the HTML parser is given stands in the comment as HTML. */
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

  /** HTML that stands in the comment. */
  html(source: string): void {
    this.#written = true;
    for (const line of source.split(/(?<=\n)/)) {
      if (line.trimStart().startsWith("<")) this.mark();
      this.#parser.write(line);
    }
    this.#written = false;
  }

  /** An element that Markdown becomes. */
  element(name: string, opens: boolean): void {
    this.#parser.write(opens ? `<${name}>` : `</${name}>`);
  }

  /** Text that is no HTML; a comment, a tag or an element around it may hide it. */
  text(text: string): void {
    this.#probed = false;
    this.#parser.write(PROBE);
    if (this.#probed && this.#hiding === 0) this.#add(text);
  }

  /** Says that the line begins with something else than text, if nothing is on it yet. */
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
