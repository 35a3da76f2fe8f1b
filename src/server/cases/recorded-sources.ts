import { realpath } from "node:fs/promises";
import { ownFile } from "../../core/own-file.js";
import { CASE_SOURCES, MOST_SOURCES_BYTES, splitAddress } from "../../core/record-case-sources.js";
import { containedPath } from "../files/contained-path.js";
import { parseJson } from "../files/parse-json.js";
import type { CaseFiles } from "./find-case-volume.js";

const MOST_KNOWN = 64;
const NONE: ReadonlyMap<string, CaseFiles> = new Map();
const known = new Map<string, { readonly version: string; readonly files: ReadonlyMap<string, CaseFiles> }>();

/**
 * Where a run has noted that the files of its cases lie. Believed only when nobody but the user who runs this dashboard, or the system's
 * administrator, can have written the note: somebody else who may write into a shared folder of runs could name any volume of ours.
 */
export async function recordedSources(folder: string): Promise<ReadonlyMap<string, CaseFiles>> {
  const path = await containedPath(folder, CASE_SOURCES);
  if (!path) return NONE;
  const before = known.get(folder);
  const note = ownFile(path, { most: MOST_SOURCES_BYTES, known: before?.version });
  if (!note) return NONE;
  const { version } = note;
  if (before?.version === version) return before.files;
  const files = new Map<string, CaseFiles>();
  const value = parseJson(note.text);
  for (const [id, entry] of Object.entries(isRecord(value) ? value : {})) {
    if (!isRecord(entry)) continue;
    const { image, label, reading } = entry;
    files.set(id, {
      ...(typeof image === "string" && { image }),
      ...(typeof label === "string" && { label }),
      ...(isRecord(reading) && { reading }),
    });
  }
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(folder, { version, files });
  return files;
}

/** A noted file or folder of a series, when it still lies there itself: a link that took its place could lead anywhere. */
export async function recordedFile(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const [place] = splitAddress(path);
  return (await realpath(place).catch(() => undefined)) === place ? path : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
