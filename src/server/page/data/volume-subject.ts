import type { VolumeKind } from "../../cases/find-case-volume.js";
import type { RunCase } from "../../routes/list-cases.js";
import type { RunFile } from "../../routes/list-files.js";
import type { VolumeFile } from "../panels/volume-viewer.js";
import { runPath } from "./api-client.js";
import type { LiveRun } from "./live-run.js";

export const VOLUME_KINDS = ["image", "label", "prediction"] as const;

/** What there is to see of a subject after one epoch, or at the end. */
export interface VolumeMoment {
  /** The final prediction, and what is never predicted, has none. */
  readonly epoch?: number;
  readonly volumes: Readonly<Partial<Record<VolumeKind, VolumeFile>>>;
}

/** A case of the run, or its validation patch. */
export interface VolumeSubject {
  readonly id: string;
  readonly name: string;
  readonly role: RunCase["role"] | "patch";
  /** Oldest first; at least one. */
  readonly moments: readonly VolumeMoment[];
}

/** Ids of cases hold no line break. */
export const PATCH = "\npatch";

/** A case with the epochs of which its whole prediction is kept, and the final one. */
export function caseSubject(run: string, { id, role, volumes, epochs }: RunCase): VolumeSubject {
  const files = VOLUME_KINDS.flatMap((kind) =>
    volumes[kind] ? [[kind, { ...volumes[kind], url: runPath(run, "cases", id, kind) }] as [VolumeKind, VolumeFile]] : [],
  );
  const own = Object.fromEntries(files) as VolumeMoment["volumes"];
  const earlier = epochs.map(({ epoch, bytes }) => {
    const prediction = { url: runPath(run, "cases", id, "epochs", String(epoch)), bytes, isGzip: true };
    return { epoch, volumes: { ...own, prediction } };
  });
  const hasFinal = own.prediction !== undefined || earlier.length === 0;
  return { id, name: id, role, moments: [...earlier, ...(hasFinal ? [{ volumes: own }] : [])] };
}

/** The validation patch after each epoch whose files are still there; undefined when there is none. */
export function patchSubject(run: LiveRun, files: readonly RunFile[]): VolumeSubject | undefined {
  const sizes = new Map(files.filter(({ folder }) => folder === "previews").map(({ name, bytes }) => [name, bytes]));
  const moments = run.record.previews.last.flatMap(({ epoch, volumes }): VolumeMoment[] => {
    if (!volumes) return [];
    const found = VOLUME_KINDS.flatMap((kind) => {
      const name = volumes[kind].split("/").at(-1)!;
      const bytes = sizes.get(name);
      return bytes === undefined ? [] : [[kind, { url: runPath(run.id, "files", "previews", name), bytes, isGzip: name.endsWith(".gz") }] as const];
    });
    return found.length === VOLUME_KINDS.length ? [{ epoch, volumes: Object.fromEntries(found) }] : [];
  });
  const id = run.record.previews.last.at(-1)?.id ?? "";
  return moments.length > 0 ? { id: PATCH, name: id, role: "patch", moments } : undefined;
}
