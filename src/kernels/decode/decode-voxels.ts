import { VoxError } from "../../core/errors.js";
import { elementCount } from "../../core/shape.js";
import { native } from "../native.js";
import { type DecodePlan, type DecodeReport, type DecodeTarget, decodeVoxelsReference, STORED_BYTES, type StoredDtype } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    decode?(plan: Float64Array, bytes: Uint8Array, first: number, target: DecodeTarget, found: Float64Array, seen: Uint8Array): void;
  }
}

/** The numbers that the native kernel knows the types by. */
const DTYPE_NUMBERS: { readonly [D in StoredDtype]: number } = {
  int8: 0,
  uint8: 1,
  int16: 2,
  uint16: 3,
  int32: 4,
  uint32: 5,
  int64: 6,
  uint64: 7,
  float32: 8,
  float64: 9,
};

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * target[offset + i sᵢ + j sⱼ + k sₖ + c s_c] = slope * stored(i, j, k, c) + intercept, for the voxels in `bytes`, which start at file index `first`.
 * The arithmetic is in float64 and rounds once to the target. Extra memory: target elements for one piece.
 *
 * @throws `ERR_SHAPE` when the plan reaches beyond the target, or the bytes beyond the plan
 */
export function decodeVoxels(plan: DecodePlan, bytes: Uint8Array, first: number, target: DecodeTarget, report: DecodeReport): void {
  requireFit(plan, bytes, first, target);
  const addon = native();
  if (!addon?.decode) {
    decodeVoxelsReference(plan, bytes, first, target, report);
    return;
  }
  const numbers = Float64Array.of(
    DTYPE_NUMBERS[plan.dtype],
    plan.littleEndian === IS_LITTLE_ENDIAN ? 0 : 1,
    plan.slope,
    plan.intercept,
    ...plan.shape,
    plan.offset,
    ...plan.strides,
  );
  addon.decode(numbers, bytes, first, target, report.found, report.seen);
}

function requireFit({ dtype, shape, offset, strides }: DecodePlan, bytes: Uint8Array, first: number, target: DecodeTarget): void {
  let low = offset;
  let high = offset;
  strides.forEach((stride, axis) => {
    if (stride < 0) low += stride * (shape[axis]! - 1);
    else high += stride * (shape[axis]! - 1);
  });
  if (low < 0 || high >= target.length) {
    throw new VoxError(`the target must have elements ${low} to ${high}, got ${target.length} elements`, {
      code: "ERR_SHAPE",
      where: "decodeVoxels",
    });
  }
  const last = first + Math.floor(bytes.length / STORED_BYTES[dtype]);
  if (first < 0 || last > elementCount(shape)) {
    throw new VoxError(`the bytes must be voxels 0 to ${elementCount(shape)} of the file, got ${first} to ${last}`, {
      code: "ERR_SHAPE",
      where: "decodeVoxels",
    });
  }
}
