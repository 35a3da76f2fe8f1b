import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isVoxError, VoxError } from "../../core/errors.js";
import { makeFolder } from "../../core/make-folder.js";
import { reasonOf } from "../../io/read-error.js";

/**
 * Writes a folder as a whole: `fill` writes into `<path>.new`, which then takes the place of `path`. Whenever the process dies, `recoverFolder` finds
 * either the old or the new content, complete.
 *
 * @throws `ERR_WRITE`; then nothing has changed and nothing half-written stays behind
 */
export async function replaceFolder(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const [fresh, old] = [`${path}.new`, `${path}.old`];
  try {
    await rm(fresh, { recursive: true, force: true });
    makeFolder(fresh);
    await fill(fresh);
    await syncFolder(fresh);
    // A folder cannot be renamed over another one, so the old one steps aside for a moment.
    await rm(old, { recursive: true, force: true });
    if (existsSync(path)) await rename(path, old);
    await rename(fresh, path);
    await syncFolder(dirname(path));
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(fresh, { recursive: true, force: true }).catch(() => {});
    await recoverFolder(path);
    if (isVoxError(error)) throw error;
    throw new VoxError(`the folder cannot be written: ${reasonOf(error)}`, { code: "ERR_WRITE", where: path, cause: error });
  }
}

/**
 * Puts a folder right after an interrupted `replaceFolder`. A leftover `.new` beside a missing `path` is complete when the old one had already stepped
 * aside, because only a complete one is renamed.
 */
export async function recoverFolder(path: string): Promise<void> {
  const [fresh, old] = [`${path}.new`, `${path}.old`];
  if (!existsSync(path)) {
    if (existsSync(old) && existsSync(fresh)) await rename(fresh, path);
    else if (existsSync(old)) await rename(old, path);
  }
  await rm(fresh, { recursive: true, force: true });
  if (existsSync(path)) await rm(old, { recursive: true, force: true });
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open folders; there the rename alone has to do.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
