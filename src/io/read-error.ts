import { errorMessage, VoxError } from "../core/errors.js";

/** An error of the file system as one of ours, with the reason in words. */
export function readError(path: string, cause: unknown): VoxError {
  return new VoxError(`the file must be readable, got ${reasonOf(cause)}`, { code: "ERR_READ", where: path, cause });
}

export function writeError(path: string, cause: unknown): VoxError {
  return new VoxError(`the file must be writable, got ${reasonOf(cause)}`, { code: "ERR_WRITE", where: path, cause });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "a folder instead of a file",
  ENOTDIR: "a file where a folder was expected",
  EEXIST: "a file where a folder was expected",
  ENOSPC: "no space left on the disk",
  EROFS: "a read-only file system",
  EMFILE: "too many open files",
};

/** The reason that a system error gives, in words. */
export function reasonOf(cause: unknown): string {
  const code = (cause as { code?: string } | undefined)?.code;
  return (code !== undefined && REASONS[code]) || errorMessage(cause);
}
