import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

export interface OwnFile {
  readonly text: string;
  /** Another one after each change. */
  readonly version: string;
}

/** Anyone but the owner may write. */
const OTHERS_WRITE = 0o022;

/**
 * A small file that only the user of this process, or the system's administrator, can have written; undefined for any other: in a shared folder, what
 * somebody else wrote must not decide which of our files are read. `known` is a version that need not be read again: its text is empty then.
 */
export function ownFile(path: string, { most, known }: { readonly most: number; readonly known?: string | undefined }): OwnFile | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch {
    return undefined;
  }
  try {
    // Of the file that is open: another may have taken its name meanwhile.
    const { uid, mode, size, mtimeMs } = fstatSync(descriptor);
    // Windows knows neither numbers of users nor these modes.
    const own = process.getuid?.();
    if (own !== undefined && ((uid !== own && uid !== 0) || (mode & OTHERS_WRITE) !== 0)) return undefined;
    if (size > most) return undefined;
    const version = `${size} ${mtimeMs}`;
    return { version, text: version === known ? "" : readFileSync(descriptor, "utf8") };
  } finally {
    closeSync(descriptor);
  }
}
