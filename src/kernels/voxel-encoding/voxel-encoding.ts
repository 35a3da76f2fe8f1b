import { VoxError } from "../../core/errors.js";
import type { ChannelStatistics } from "../statistics/statistics.js";

/**
 * How float32 voxels are kept in fewer bytes. "int16": x ≈ offset + scale q with q in 0..65535, for each channel; "float16": IEEE 754 binary16. `error` is the
 * most by which a voxel of each channel may differ afterwards.
 */
export type VoxelEncoding =
  | { readonly form: "int16"; readonly scale: readonly number[]; readonly offset: readonly number[]; readonly error: readonly number[] }
  | { readonly form: "float16"; readonly error: readonly number[] };

/** Bytes of an element in each form. */
export const ENCODED_BYTES = 2;

/** Steps between the smallest and the largest voxel. */
const STEPS = 65535;
const LARGEST_HALF = 65504;

/**
 * The encoding of a volume. int16 spreads its 65 536 values over the range of each channel, so |error| ≤ (max − min) / 131 070; whole numbers within a range of
 * 65 535 stay exact. float16 keeps 11 bits of each voxel: |error| ≤ max|x| / 2048, and less near 0.
 *
 * @throws `ERR_VALUES` when a voxel is beyond ±65 504, the range of float16
 * @source IEEE 754-2019, binary16
 */
export function voxelEncoding(form: "int16" | "float16", channels: readonly ChannelStatistics[], isWhole: boolean): VoxelEncoding {
  if (form === "float16") {
    const most = channels.map(({ min, max }) => Math.max(Math.abs(min), Math.abs(max)));
    const largest = Math.max(...most);
    if (largest > LARGEST_HALF) {
      throw new VoxError(`voxels must be within ±${LARGEST_HALF} for float16, got ${largest}; clip or normalize in front, or take int16`, {
        code: "ERR_VALUES",
        where: "cached",
      });
    }
    // Half a unit in the last of 11 bits; below 2^-14 the unit is constant.
    return { form, error: most.map((value) => Math.max(2 ** -25, 2 ** (Math.floor(Math.log2(Math.max(value, 2 ** -14))) - 11))) };
  }
  const scale = channels.map(({ min, max }) => (isWhole && max - min <= STEPS ? 1 : roundedUp((max - min) / STEPS) || 1));
  const offset = channels.map(({ min }) => min);
  // Half a step, and the rounding of the result to float32.
  const error = channels.map(({ min, max }, c) =>
    isWhole && scale[c] === 1 ? 0 : scale[c]! / 2 + Math.max(Math.abs(min), Math.abs(max)) * 2 ** -23,
  );
  return { form, scale, offset, error };
}

/** The next float32 that is not smaller: a float32 scale times a 16-bit number is exact in double precision, so every processor decodes alike. */
function roundedUp(value: number): number {
  const near = Math.fround(value);
  if (near >= value) return near;
  const bits = new Int32Array(new Float32Array([near]).buffer);
  bits[0]!++;
  return new Float32Array(bits.buffer)[0]!;
}
