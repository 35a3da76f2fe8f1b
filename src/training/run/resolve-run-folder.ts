import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The folder of a run: a new one gets the first free name of `name`, `name-2`, `name-3`, …; a resumed one is the last that is there.
 */
export function resolveRunFolder(runs: string, name: string, resume: boolean): string {
  const numbered = (k: number): string => join(runs, k === 1 ? name : `${name}-${k}`);
  let free = 1;
  while (existsSync(numbered(free))) free++;
  return numbered(resume ? Math.max(1, free - 1) : free);
}
