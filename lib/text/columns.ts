/** Tables for a terminal. Pure. */

/** Rows as lines, their cells in columns; those that `atRight` accepts stand at the right of theirs. */
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

/** Columns of a terminal: pictures take two. */
function widthOf(text: string): number {
  return [...text].length + (text.match(/\p{Emoji_Presentation}/gu)?.length ?? 0);
}
