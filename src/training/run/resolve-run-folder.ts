import { existsSync } from "node:fs";
import { join } from "node:path";

/** What only the folders of one kind of run have. */
const MARKS = { training: ["events.jsonl", "manifest.json"], "cross-validation": ["cross-validation.json"], comparison: ["variants"] } as const;

/** What a run folder holds. */
export type RunKind = keyof typeof MARKS;

/**
 * The folder of a run: a new one gets the first free name of `name`, `name-2`, `name-3`, …; a resumed one is the last of its kind that is there, and a new one
 * where there is none. Folders of other kinds of run are never resumed, and never written into.
 */
export function resolveRunFolder(runs: string, name: string, resume: boolean, kind: RunKind = "training"): string {
  const others = (Object.keys(MARKS) as RunKind[]).filter((other) => other !== kind).flatMap((other) => MARKS[other]);
  const numbered = (k: number): string => join(runs, k === 1 ? name : `${name}-${k}`);
  let free = 1;
  let own: string | undefined;
  for (; existsSync(numbered(free)); free++) if (!others.some((mark) => existsSync(join(numbered(free), mark)))) own = numbered(free);
  return (resume ? own : undefined) ?? numbered(free);
}
