import { readFile } from "node:fs/promises";
import type { z } from "zod";
import type { ErrorCode } from "../core/error-codes.js";
import { errorMessage, VoxError } from "../core/errors.js";

export interface ReadJsonRecordOptions {
  /** What it is, in messages: "the record of the fold". */
  readonly what: string;
  /** When the file is there and cannot be read. */
  readonly unreadable: ErrorCode;
  /** When it is not what was written. */
  readonly malformed: ErrorCode;
}

/** Reads a small JSON file and checks it against its schema; undefined where there is no such file. */
export async function readJsonRecord<T>(
  path: string,
  schema: z.ZodType<T>,
  { what, unreadable, malformed }: ReadJsonRecordOptions,
): Promise<T | undefined> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    // A file in place of the folder is no record either.
    if (["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "")) return undefined;
    const code = error instanceof SyntaxError ? malformed : unreadable;
    throw new VoxError(`${what} must be readable JSON: ${errorMessage(error)}`, { code, where: path, cause: error });
  }
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new VoxError(`${what} must be as it was written, but ${issue!.path.join(".") || "it"}: ${issue!.message}`, { code: malformed, where: path });
}
