/**
 * Rows of comma-separated fields; quoted fields may hold commas, line breaks and doubled quotes. Empty lines and a byte order mark are dropped.
 *
 * @source RFC 4180
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let isQuoted = false;
  const endRow = (): void => {
    row.push(field);
    field = "";
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let n = text.charCodeAt(0) === 0xfeff ? 1 : 0; n < text.length; n++) {
    const letter = text[n]!;
    if (isQuoted) {
      if (letter !== '"') field += letter;
      else if (text[n + 1] === '"') field += text[n++]!;
      else isQuoted = false;
    } else if (letter === '"' && field === "") isQuoted = true;
    else if (letter === ",") {
      row.push(field);
      field = "";
    } else if (letter === "\n") endRow();
    else if (letter !== "\r") field += letter;
  }
  endRow();
  return rows;
}
