/** Tables for a terminal. Pure. */

/** Rows as lines with aligned columns; cells that `atRight` accepts are aligned to the right. */
export function columns(
  rows: readonly (readonly string[])[],
  atRight: (cell: string) => boolean = () => false,
): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? "")))
  );
  return rows.map((row) =>
    row.map((cell, column) => {
      const blanks = " ".repeat(widths[column]! - widthOf(cell));
      return atRight(cell) ? blanks + cell : cell + blanks;
    }).join("  ").trimEnd()
  );
}

/** Width in terminal columns: an emoji has two. */
function widthOf(text: string): number {
  return [...text].length + (text.match(/\p{Emoji_Presentation}/gu)?.length ?? 0);
}
