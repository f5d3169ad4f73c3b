/** Markdown's tables for a terminal. Pure. */
import { columns } from "../../lib/text/columns.ts";

/** Lines of Markdown in which the columns of tables are aligned, and links and code spans are their text. */
export function renderTables(markdown: string): string[] {
  const shown: string[] = [];
  let table: string[][] = [];
  const flush = () => {
    shown.push(...columns(table));
    table = [];
  };
  for (const line of markdown.split("\n")) {
    if (!line.startsWith("|")) {
      flush();
      shown.push(plainText(line));
    } else if (!/^[|:\s-]+$/.test(line)) table.push(cellsOf(line));
  }
  flush();
  return shown;
}

function cellsOf(line: string): string[] {
  return line.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/)
    .map((cell) => plainText(cell.trim().replaceAll("\\|", "|")));
}

/** What a browser would show of it. */
function plainText(text: string): string {
  return text.replaceAll(/\[((?:[^\]`]|`[^`]*`)+)\]\([^)\s]*\)/g, "$1")
    .replaceAll(/(`+) ?([^`].*?) ?\1(?!`)/g, "$2").replaceAll("**", "");
}
