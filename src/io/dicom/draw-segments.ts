import { VoxError } from "../../core/errors.js";
import type { Affine } from "../../core/geometry.js";
import { type DecodePlan, DecodeReport, type DecodeTarget } from "../../kernels/decode/reference.js";
import { decodeFrame } from "./codecs/decode-frame.js";
import type { DicomPlane } from "./dicom-image.js";
import { encapsulatedFrames } from "./encapsulated-frames.js";
import { FileBytes } from "./file-bytes.js";
import { gridIndex } from "./grid-index.js";
import { parseDicom } from "./parse-dicom.js";
import { readSegmentation, type Segmentation } from "./segmentation.js";
import { TRANSFER_SYNTAXES } from "./transfer-syntaxes.js";

/** Segments to draw; plain data, for worker threads. */
export interface StoredSegments {
  readonly path: string;
  /** Number and label of each. */
  readonly labels: readonly (readonly [number: number, label: number])[];
  readonly affine: Affine;
}

/** Pixels must lie on the pixels of the image, within this share of one. */
const PLACE_TOLERANCE = 0.1;
const NOTHING: ReadonlySet<number> = new Set();

/**
 * Draws the frames of a segmentation as a label map, each where its position says. Where segments overlap the larger label wins; slices without a frame stay
 * background; a fractional voxel counts from a half on.
 *
 * @label 0 outside
 * @throws `ERR_GEOMETRY` for frames that do not lie on the voxels of the image; `ERR_STOPPED`; and what reading throws
 */
export function drawSegments(
  { path, labels, affine }: StoredSegments,
  target: DecodeTarget,
  plan: DecodePlan,
  isStopped?: () => boolean,
): DecodeReport {
  const report = new DecodeReport();
  const { shape, strides, offset } = plan;
  target.fill(0);
  const segmentation = readSegmentation(path);
  const ofSegment = new Map(labels);
  const toIndex = gridIndex(affine);
  const { rows, columns } = segmentation.format;
  FileBytes.use(path, (file) => {
    const frames = frameReader(file, segmentation, ofSegment, path);
    for (const [n, { plane, segment }] of segmentation.frames.entries()) {
      if (segmentation.type !== "LABELMAP" && !ofSegment.has(segment)) continue;
      if (isStopped?.()) throw new VoxError("the reading was stopped", { code: "ERR_STOPPED", where: path });
      const { start, along, down } = placeOf(plane, toIndex, n, path);
      const voxels = frames(n, segment);
      for (let row = 0, v = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, v++) {
          const label = voxels[v]!;
          if (label === 0) continue;
          const place = start.map((first, axis) => first + column * along[axis]! + row * down[axis]!);
          if (place.some((index, axis) => index < 0 || index >= shape[axis]!)) {
            throw new VoxError(
              `segments must lie inside of the image of ${shape.slice(0, 3).join(" x ")} voxels, got one at ${place.join(", ")} in frame ${n + 1}`,
              {
                code: "ERR_GEOMETRY",
                where: path,
              },
            );
          }
          const at = offset + place[0]! * strides[0] + place[1]! * strides[1] + place[2]! * strides[2];
          if (label > target[at]!) target[at] = label;
        }
      }
    }
  });
  for (let n = 0; n < target.length; n++) report.seen[target[n]!] = 1;
  return report;
}

/** Where a frame's first pixel lies in the image, and the steps along its rows and columns: whole voxels. */
function placeOf(
  { position, orientation, spacing }: DicomPlane,
  toIndex: ReturnType<typeof gridIndex>,
  frame: number,
  path: string,
): Readonly<Record<"start" | "along" | "down", readonly number[]>> {
  const [x, y, z] = position!;
  const o = orientation!;
  const exact = toIndex(x, y, z);
  const towards = (first: number, side: number): readonly number[] => {
    const next = toIndex(x + o[first]! * side, y + o[first + 1]! * side, z + o[first + 2]! * side);
    return next.map((index, axis) => index - exact[axis]!);
  };
  const [along, down] = [towards(0, spacing![1]), towards(3, spacing![0])];
  const isStep = (step: readonly number[]): boolean =>
    step.filter((value) => Math.abs(Math.abs(value) - 1) < 1e-2).length === 1 && step.filter((value) => Math.abs(value) < 1e-2).length === 2;
  const isOnVoxels = exact.every((index) => Math.abs(index - Math.round(index)) <= PLACE_TOLERANCE);
  if (!isStep(along) || !isStep(down) || !isOnVoxels) {
    const shown = (values: readonly number[]): string => values.map((value) => Number(value.toFixed(3))).join(", ");
    throw new VoxError(
      `frames must lie on the voxels of the image, got frame ${frame + 1} at ${shown(exact)} with steps of ${shown(along)} and ${shown(down)} voxels`,
      { code: "ERR_GEOMETRY", where: path },
    );
  }
  return { start: exact.map(Math.round), along: along.map(Math.round), down: down.map(Math.round) };
}

/** Gives the labels of a frame's pixels; the array is the same in every call. */
function frameReader(
  file: FileBytes,
  { type, most, pixels, format, syntax }: Segmentation,
  ofSegment: ReadonlyMap<number, number>,
  path: string,
): (frame: number, segment: number) => Uint16Array {
  const { rows, columns, frames, bitsAllocated } = format;
  const count = rows * columns;
  const labels = new Uint16Array(count);
  const { isDeflated, isLittleEndian } = TRANSFER_SYNTAXES[syntax]!;
  const bytes = isDeflated ? parseDicom(file, { wanted: NOTHING }).bytes : file;
  const fragments = pixels.length === undefined ? encapsulatedFrames(bytes, pixels.offset, frames) : undefined;
  const stored = (frame: number): ((n: number) => number) => {
    if (bitsAllocated === 1) {
      // Frames follow each other without a gap, the first pixel in the lowest bit (PS3.5, 8.1.1).
      const first = frame * count;
      const from = first >> 3;
      const packed = bytes.bytes(pixels.offset + from, ((first + count + 7) >> 3) - from);
      const skip = first - 8 * from;
      return (n) => (packed[(skip + n) >> 3]! >> ((skip + n) & 7)) & 1;
    }
    const sampleBytes = bitsAllocated >> 3;
    const raw = fragments
      ? decodeFrame(Buffer.concat(fragments[frame]!.map(({ offset, length }) => bytes.bytes(offset, length))), syntax, format, path).bytes
      : bytes.bytes(pixels.offset + frame * count * sampleBytes, count * sampleBytes);
    if (sampleBytes === 1) return (n) => raw[n]!;
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    return (n) => view.getUint16(2 * n, isLittleEndian);
  };
  return (frame, segment) => {
    const value = stored(frame);
    const label = ofSegment.get(segment) ?? 0;
    for (let n = 0; n < count; n++) {
      const own = value(n);
      labels[n] = type === "LABELMAP" ? (ofSegment.get(own) ?? 0) : type === "BINARY" ? own * label : 2 * own >= most ? label : 0;
    }
    return labels;
  };
}
