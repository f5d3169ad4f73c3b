/** Markdown's tables for a terminal. Pure. */

/** Renders Markdown as lines with aligned table columns; links and code spans become plain text. */
export function renderTables(markdown: string): string[] {
  const shown: string[] = [];
  let table: string[][] = [];
  const flush = () => {
    shown.push(...aligned(table));
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

/** The text that a browser would show. */
function plainText(text: string): string {
  return text.replaceAll(/\[((?:[^\]`]|`[^`]*`)+)\]\([^)\s]*\)/g, "$1")
    .replaceAll(/(`+) ?([^`].*?) ?\1(?!`)/g, "$2").replaceAll("**", "");
}

function aligned(rows: readonly string[][]): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from(
    { length: count },
    (_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  return rows.map((row) =>
    widths.map((width, column) => {
      const cell = row[column] ?? "";
      return cell + " ".repeat(width - widthOf(cell));
    }).join("  ").trimEnd()
  );
}

/** Width in terminal columns: an emoji has two. */
function widthOf(text: string): number {
  return [...text].length + (text.match(/\p{Emoji_Presentation}/gu)?.length ?? 0);
}
