export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The columns and rows of tab-separated text with a header line; short rows are filled with empty cells, long ones are cut. */
export function parseTsv(text: string): Table {
  const [header = "", ...lines] = text.replaceAll("\r\n", "\n").split("\n");
  const columns = header.split("\t");
  const rows = lines.filter((line) => line !== "").map((line) => line.split("\t"));
  return { columns, rows: rows.map((cells) => columns.map((_, i) => cells[i] ?? "")) };
}
