import { readFile } from "node:fs/promises";
import { errorMessage, VoxError } from "../../core/errors.js";

/** Columns of a `history.tsv`, by name in file order; a cell without a number is NaN. */
export type History = ReadonlyMap<string, readonly number[]>;

/**
 * Reads a `history.tsv`: a line of names, then one line of numbers per epoch. A last line that is still being written (no line end) is left out.
 *
 * @throws `ERR_READ` when there is no such file, `ERR_FORMAT` when its first column is not `epoch`
 * @example
 * (await readHistory("runs/demo/history.tsv")).get("val_loss");
 */
export async function readHistory(path: string): Promise<History> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new VoxError(`the history must be readable: ${errorMessage(error)}`, { code: "ERR_READ", where: path, cause: error });
  }
  const [head = "", ...lines] = text.slice(0, text.lastIndexOf("\n") + 1).split(/\r?\n/);
  const names = head.split("\t");
  if (names[0] !== "epoch")
    throw new VoxError(`the first column must be epoch, got ${JSON.stringify(names[0])}`, { code: "ERR_FORMAT", where: path });
  const rows = lines.filter((line) => line.trim() !== "").map((line) => line.split("\t"));
  return new Map(names.map((name, column) => [name, rows.map((row) => toNumber(row[column]))]));
}

function toNumber(cell: string | undefined): number {
  return cell === undefined || cell.trim() === "" ? Number.NaN : Number(cell);
}
