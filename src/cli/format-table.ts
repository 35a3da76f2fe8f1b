/** A plain text table: first row is the header, numbers are set flush right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const isNumeric = (text: string): boolean => /^[-+]?[\d.,]+(e[-+]?\d+)?%?$/i.test(text);
  return rows
    .map((row, index) => {
      const cells = widths.map((width, column) => {
        const cell = row[column] ?? "";
        const flushRight = isNumeric(cell) || (index === 0 && rows.slice(1).some((other) => isNumeric(other[column] ?? "")));
        return flushRight ? cell.padStart(width) : cell.padEnd(width);
      });
      const line = cells.join("  ").trimEnd();
      return index === 0 ? `${line}\n${widths.map((width) => "-".repeat(width)).join("  ")}` : line;
    })
    .join("\n");
}
