import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and the folders above it. Node's own recursive form never returns where the system says "no such folder" of a parent that is there, as
 * under /proc.
 *
 * @throws the system's error, such as `ENOTDIR` or `EACCES`
 */
export function makeFolder(path: string): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (!existsSync(parent)) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been faster.
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Whatever keeps it from being looked at keeps it from being made, and that is the error to report.
    return false;
  }
}
