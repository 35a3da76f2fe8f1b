import { realpath } from "node:fs/promises";
import { join, sep } from "node:path";

/**
 * The real path of `names` below `root`, or undefined when it does not exist or lies outside: also by `..`, an absolute name, or a symbolic link.
 * `root` must itself be a real path.
 */
export async function containedPath(root: string, ...names: readonly string[]): Promise<string | undefined> {
  if (names.some((name) => name === "" || name === "." || name === ".." || name.includes("/") || name.includes(sep) || name.includes("\0"))) {
    return undefined;
  }
  try {
    const real = await realpath(join(root, ...names));
    return real.startsWith(root.endsWith(sep) ? root : root + sep) ? real : undefined;
  } catch {
    return undefined;
  }
}
