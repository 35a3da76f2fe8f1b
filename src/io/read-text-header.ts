import { open } from "node:fs/promises";
import { isVoxError, VoxError } from "../core/errors.js";
import { readError } from "./read-error.js";

/** Longer headers are not believed. */
const MOST_BYTES = 1024 ** 2;
const STEP_BYTES = 16 * 1024;

export interface TextHeader {
  /** One character per byte. */
  readonly text: string;
  /** First byte behind the header. */
  readonly end: number;
}

/**
 * The text that a file begins with, up to and with the match of `last`; of a file that ends before, all of it.
 *
 * @throws `ERR_READ`; `ERR_FORMAT` when the file does not begin as `first` says, or has no end of its header within a megabyte
 */
export async function readTextHeader(path: string, format: string, first: RegExp, last: RegExp): Promise<TextHeader> {
  try {
    const file = await open(path, "r");
    try {
      if ((await file.stat()).isDirectory()) throw new VoxError("a volume must be a file, got a folder", { code: "ERR_READ", where: path });
      let text = "";
      while (text.length < MOST_BYTES) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(STEP_BYTES), 0, STEP_BYTES, text.length);
        text += buffer.toString("latin1", 0, bytesRead);
        if (!first.test(text)) throw foreign(path, format, text);
        const end = last.exec(text);
        if (end) return { text: text.slice(0, end.index + end[0].length), end: end.index + end[0].length };
        if (bytesRead === 0) return { text, end: text.length };
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw isVoxError(error) ? error : readError(path, error);
  }
  throw new VoxError(`the ${format} header must end within ${MOST_BYTES} bytes, got more`, { code: "ERR_FORMAT", where: path });
}

function foreign(path: string, format: string, text: string): VoxError {
  return new VoxError(`the file must begin as ${format} files do, got first bytes ${Buffer.from(text.slice(0, 8), "latin1").toString("hex")}`, {
    code: "ERR_FORMAT",
    where: path,
  });
}
