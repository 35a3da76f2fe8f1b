import { statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { VoxError } from "../../core/errors.js";
import { readError } from "../read-error.js";
import { type DicomImage, readDicomImage } from "./dicom-image.js";
import { dicomKind } from "./dicom-kind.js";
import { FILES_PER_TURN, filesBelow } from "./files-below.js";

/** A series of images: which of them are slices of one volume is for `seriesGrid` to find out. */
export interface DicomSeries {
  readonly uid: string;
  readonly description: string;
  readonly modality: string;
  readonly images: readonly DicomImage[];
}

/** Which series is meant: its SeriesInstanceUID or its whole description, or a pattern for the description. */
export type SeriesChoice = string | RegExp;

/**
 * The one series of a folder that is meant; localizers (scouts) do not count.
 *
 * @throws `ERR_EMPTY` when there is no image; `ERR_DATA` with the list of all series when it is not clear which is meant, or none is
 */
export async function dicomSeries(path: string, choice?: SeriesChoice): Promise<DicomSeries> {
  const all = await allSeries(path);
  const series = all.filter(({ images }) => images.length > 0);
  const matching = choice === undefined ? series : series.filter((one) => matches(one, choice));
  if (matching.length === 1) return matching[0]!;
  const options = { code: "ERR_DATA", where: path } as const;
  if (series.length === 0) {
    const localizers = all.reduce((sum, { localizers: count }) => sum + count, 0);
    throw new VoxError(`there must be DICOM images, got ${localizers > 0 ? `${localizers} localizers only` : "none"}`, {
      ...options,
      code: "ERR_EMPTY",
    });
  }
  const list = series.map(describeSeries).join("; ");
  if (choice === undefined)
    throw new VoxError(`there must be one series, or series must say which one is meant, got ${series.length}: ${list}`, options);
  throw new VoxError(`series ${choice} must be one of the ${series.length} series here, got ${matching.length} that match: ${list}`, options);
}

function matches({ uid, description }: DicomSeries, choice: SeriesChoice): boolean {
  if (typeof choice === "string") return uid === choice || description === choice;
  return new RegExp(choice.source, choice.flags.replace(/[gy]/g, "")).test(description);
}

function describeSeries({ uid, description, modality, images }: DicomSeries): string {
  const slices = images.reduce((sum, { format }) => sum + format.frames, 0);
  return `${uid} "${description}" (${modality}, ${slices} ${slices === 1 ? "slice" : "slices"})`;
}

interface CountedSeries extends DicomSeries {
  readonly localizers: number;
}

async function allSeries(path: string): Promise<readonly CountedSeries[]> {
  const found = new Map<string, { images: DicomImage[]; localizers: number }>();
  for (const [n, file] of filesBelow(path).entries()) {
    if (n % FILES_PER_TURN === FILES_PER_TURN - 1) await setImmediate();
    const image = knownImage(file);
    if (!image) continue;
    const series = found.get(image.series) ?? { images: [], localizers: 0 };
    if (image.isLocalizer) series.localizers++;
    else series.images.push(image);
    found.set(image.series, series);
  }
  return [...found].map(([uid, { images, localizers }]) => ({
    uid,
    description: images[0]?.description ?? "",
    modality: images[0]?.modality ?? "",
    images,
    localizers,
  }));
}

/** Planes whose headers are remembered: image and label of a case ask for the same ones, and so does every epoch. */
const MAX_KNOWN_PLANES = 16384;
const known = new Map<string, { readonly state: string; readonly image: DicomImage | undefined }>();
let knownPlanes = 0;

/** The header of an image file, read again when the file has changed; undefined for what is no image. */
function knownImage(path: string): DicomImage | undefined {
  let state: string;
  try {
    const { size, mtimeNs, ino } = statSync(path, { bigint: true });
    state = `${size} ${mtimeNs} ${ino}`;
  } catch (error) {
    throw readError(path, error);
  }
  const entry = known.get(path);
  if (entry?.state === state) return entry.image;
  forget(path);
  const image = dicomKind(path) === "image" ? readDicomImage(path) : undefined;
  known.set(path, { state, image });
  knownPlanes += planesIn(image);
  // The oldest first.
  for (const oldest of known.keys()) {
    if (knownPlanes <= MAX_KNOWN_PLANES) break;
    forget(oldest);
  }
  return image;
}

function forget(path: string): void {
  const entry = known.get(path);
  if (!entry) return;
  knownPlanes -= planesIn(entry.image);
  known.delete(path);
}

function planesIn(image: DicomImage | undefined): number {
  return image?.planes.length ?? 1;
}
