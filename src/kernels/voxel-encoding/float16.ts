const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);

function bitsOf(x: number): number {
  FLOAT[0] = x;
  return BITS[0]!;
}

function floatOf(bits: number): number {
  BITS[0] = bits;
  return FLOAT[0]!;
}

/** Float32 and IEEE 754 binary16, to the nearest, ties to even. */
export const float16 = {
  /** @source F. Giesen, "float->half variants", 2016, float_to_half_fast3_rtne */
  encode(x: number): number {
    const all = bitsOf(x);
    const sign = (all & 0x80000000) >>> 16;
    const bits = all & 0x7fffffff;
    if (bits >= 143 << 23) return sign | (bits > 255 << 23 ? 0x7e00 : 0x7c00);
    // Adding one half leaves the bits of a subnormal number at the low end.
    if (bits < 113 << 23) return sign | (bitsOf(floatOf(bits) + 0.5) - (126 << 23));
    return sign | ((bits - (112 << 23) + 0xfff + ((bits >>> 13) & 1)) >>> 13);
  },
  decode(half: number): number {
    const sign = (half & 0x8000) << 16;
    const rest = (half & 0x7fff) << 13;
    if (rest >= 31 << 23) return floatOf((sign | rest | 0x7f800000) >>> 0);
    const value = floatOf(rest) * 2 ** 112;
    return sign ? -value : value;
  },
} as const;
