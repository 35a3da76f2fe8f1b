import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { RootDatabase } from "lmdb";
import { formatBytes } from "../core/bytes.js";
import { makeFolder } from "../core/make-folder.js";
import { networkDisk } from "./network-disk.js";

/** An open LMDB environment. */
export interface Environment {
  readonly database: RootDatabase<Uint8Array, (string | number)[]>;
  /** Whether nothing can be written, as on a disk that is mounted so, or in another user's folder. */
  readonly isReadOnly: boolean;
}

/** Name of the environment's file in its folder. */
export const DATA_FILE = "cases.lmdb";

/** Free space that a new environment needs at the least; two empty pages and the lock file take 50 KB. */
const LEAST_ROOM = 1024 ** 2;

// `lmdb` ships one declaration file for both module systems, which NodeNext takes for CommonJS.
const { open } = createRequire(import.meta.url)("lmdb") as typeof import("lmdb");

/** Opens or makes the environment in a folder; one that cannot be written is opened for reading. Warns of that, and of network disks. */
export function openEnvironment(folder: string): Environment {
  const isReadOnly = !isWritable(folder);
  if (!isReadOnly) {
    makeFolder(folder);
    requireRoom(folder);
  }
  const options = { path: join(folder, DATA_FILE), encoding: "binary", noSync: true, pageSize: 16384, readOnly: isReadOnly } as const;
  const database = open<Uint8Array, (string | number)[]>(options);
  const disk = networkDisk(statfsSync(folder).type);
  if (disk) {
    warn(
      `the cache in ${folder} lies on a network disk (${disk}), where LMDB's locks and memory maps fail as soon as a second machine uses it, and reading is slow; set VOXSTREAM_CACHE or folder to a disk of this machine`,
    );
  }
  if (isReadOnly) warn(`the cache in ${folder} can be read but not written; cases that are not there are made again every time`);
  return { database, isReadOnly };
}

/** Whether an environment that is there can be written; a folder without one is made, or fails. */
function isWritable(folder: string): boolean {
  const path = join(folder, DATA_FILE);
  if (!existsSync(path)) return true;
  try {
    for (const each of [folder, path]) accessSync(each, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function warn(sentence: string): void {
  process.emitWarning(sentence, "VoxstreamWarning");
}

/**
 * LMDB makes its files through memory maps, where a full disk is no error but the end of the process (SIGBUS). So it only begins where there is room.
 */
function requireRoom(folder: string): void {
  const isThere = [DATA_FILE, `${DATA_FILE}-lock`].every((name) => (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0) > 0);
  if (isThere) return;
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < LEAST_ROOM) throw Object.assign(new Error(`only ${formatBytes(bavail * bsize)} free`), { code: "ENOSPC" });
}
