import { VoxError } from "../../core/errors.js";
import { type DecodePlan, STORED_BYTES } from "../../kernels/decode/reference.js";
import type { Picture } from "./picture.js";

/** Pixels without the samples behind their bands. */
export function withoutExtra(pixels: Uint8Array, bands: number, extra: number, sampleBytes: number): Uint8Array {
  if (extra === 0) return pixels;
  const wanted = bands * sampleBytes;
  const step = (bands + extra) * sampleBytes;
  const kept = new Uint8Array((pixels.length / step) * wanted);
  for (let from = 0, to = 0; from < pixels.length; from += step) for (let b = 0; b < wanted; b++) kept[to++] = pixels[from + b]!;
  return kept;
}

/** What the merged samples are. */
export interface MergedBands extends Partial<Pick<DecodePlan, "dtype" | "littleEndian">> {
  readonly bytes: Uint8Array;
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * One sample for three: the first of them, where all must be equal, or the brightness
 * (19595 red + 38470 green + 7471 blue + 32768) / 65536, rounded down for integers, which is what Pillow computes for ITU-R 601's 0.299, 0.587, 0.114.
 *
 * @throws `ERR_SHAPE` with the first pixel whose bands differ
 * @source ITU-R BT.601; Pillow's convert("L")
 */
export function mergeBands(
  pixels: Uint8Array,
  { dtype, littleEndian, width }: Picture,
  how: "brightness" | "equal",
  path: string,
  isLabel = false,
): MergedBands {
  const size = STORED_BYTES[dtype];
  const count = pixels.length / (3 * size);
  if (how === "equal") {
    const bytes = new Uint8Array(count * size);
    for (let n = 0, at = 0; n < count; n++, at += 3 * size) {
      for (let b = 0; b < size; b++) {
        const first = pixels[at + b]!;
        bytes[n * size + b] = first;
        if (pixels[at + size + b] !== first || pixels[at + 2 * size + b] !== first) throw colored(n, width, path, isLabel);
      }
    }
    return { bytes };
  }
  const values = new Float64Array(count);
  const view = new DataView(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  const isFloat = dtype === "float32" || dtype === "float64";
  const read = (at: number): number => {
    switch (dtype) {
      case "uint8":
        return pixels[at]!;
      case "int8":
        return view.getInt8(at);
      case "uint16":
        return view.getUint16(at, littleEndian);
      case "int16":
        return view.getInt16(at, littleEndian);
      case "uint32":
        return view.getUint32(at, littleEndian);
      case "int32":
        return view.getInt32(at, littleEndian);
      case "float32":
        return view.getFloat32(at, littleEndian);
      case "float64":
        return view.getFloat64(at, littleEndian);
      case "int64":
        return Number(view.getBigInt64(at, littleEndian));
      case "uint64":
        return Number(view.getBigUint64(at, littleEndian));
      default:
        return dtype satisfies never;
    }
  };
  for (let n = 0, at = 0; n < count; n++, at += 3 * size) {
    const sum = 19595 * read(at) + 38470 * read(at + size) + 7471 * read(at + 2 * size);
    values[n] = isFloat ? sum / 65536 : Math.floor((sum + 32768) / 65536);
  }
  return { bytes: new Uint8Array(values.buffer), dtype: "float64", littleEndian: IS_LITTLE_ENDIAN };
}

function colored(pixel: number, width: number, path: string, isLabel: boolean): VoxError {
  const [rule, fix] = isLabel
    ? ["a label map must be gray, or have a palette, with the classes as values", "save the classes as numbers"]
    : [
        "the picture must be gray, or have equal bands, where one channel is declared",
        'declare channels: 3, or read its brightness with color: "gray"',
      ];
  return new VoxError(`${rule}, got color at x=${pixel % width} y=${Math.floor(pixel / width)}; ${fix}`, { code: "ERR_SHAPE", where: path });
}
