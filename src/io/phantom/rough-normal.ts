import type { Random } from "../../core/random.js";

/**
 * Sum of four uniform numbers, scaled to mean 0 and standard deviation 1: near enough to normal, fast, and without logarithm or cosine, whose last bits
 * differ between versions of the JavaScript engine.
 */
export function roughNormal(random: Random): number {
  const a = random.uint32();
  const b = random.uint32();
  const sum = (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
  // Four uniforms on 0..65535 have the mean 131070 and the standard deviation 65536 / sqrt(3).
  return ((sum - 131070) * 1.7320508075688772) / 65536;
}
