import { randomUUID } from "node:crypto";
import { realpathSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CaseReading, CaseRef } from "./case.js";
import { ownFile } from "./own-file.js";

/** `sources.json` in a run's folder: where the files of its cases lie, by case id, so that a dashboard started later can show them. */
export const CASE_SOURCES = "sources.json";
/** Longer ones are not believed. */
export const MOST_SOURCES_BYTES = 32 << 20;

/** The real paths of a case's first image and of its label map. */
export interface CaseSource {
  readonly image?: string;
  readonly label?: string;
  /** How they are to be understood where they do not say it themselves. */
  readonly reading?: CaseReading;
}

/**
 * Notes in `sources.json` of a run's folder where the files of its cases lie; what it holds of other cases stays. Files that are not there are left out.
 *
 * @throws the system's error when the folder cannot be written
 * @example
 * recordCaseSources("runs/kits", await data.list());
 */
export function recordCaseSources(folder: string, cases: readonly CaseRef[]): void {
  const path = join(folder, CASE_SOURCES);
  const known = { ...sourcesIn(path) };
  for (const { id, images, label, reading } of cases) {
    const [image, map] = [realPath(images[0]), realPath(label)];
    known[id] = { ...(image !== undefined && { image }), ...(map !== undefined && { label: map }), ...(reading && { reading }) };
  }
  // Read while it is written: the old text or the new one, never half of it.
  const fresh = `${path}.${randomUUID()}.new`;
  writeFileSync(fresh, `${JSON.stringify(known, undefined, 1)}\n`, { flag: "wx", mode: 0o644 });
  renameSync(fresh, path);
}

/** The place of a volume, and what follows behind it in the address of a DICOM series. */
export function splitAddress(path: string): readonly [place: string, options: string] {
  const at = path.indexOf("#dicom");
  return at < 0 ? [path, ""] : [path.slice(0, at), path.slice(at)];
}

function sourcesIn(path: string): Readonly<Record<string, CaseSource>> {
  try {
    // What somebody else wrote would count as ours from here on.
    const value: unknown = JSON.parse(ownFile(path, { most: MOST_SOURCES_BYTES })?.text ?? "{}");
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, CaseSource>) : {};
  } catch {
    // Not there yet, or not ours: begun anew.
    return {};
  }
}

function realPath(path: string | undefined): string | undefined {
  try {
    if (path === undefined) return undefined;
    const [place, options] = splitAddress(path);
    return `${realpathSync(place)}${options}`;
  } catch {
    // A case may be read in another way than from this file.
    return undefined;
  }
}
