import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { writeError } from "../io/read-error.js";

/**
 * Looks whether a file can be written at `path`, before the work whose result it shall hold; makes nothing.
 *
 * @throws `ERR_WRITE`
 */
export function requireWritableFile(path: string): void {
  const fail = (code: string): never => {
    throw writeError(path, Object.assign(new Error(code), { code }));
  };
  if (existsSync(path) && statSync(path).isDirectory()) fail("EISDIR");
  let folder = dirname(resolve(path));
  while (!existsSync(folder)) folder = dirname(folder);
  if (!statSync(folder).isDirectory()) fail("ENOTDIR");
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw writeError(path, error);
  }
}
