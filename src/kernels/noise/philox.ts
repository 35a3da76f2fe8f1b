/** Four 32-bit words that name a random field. */
export type NoiseKey = readonly [number, number, number, number];

function mulHigh(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/**
 * Four random words of a counter: any of them can be computed alone, on any thread.
 * The key's first two words are the cipher's key, the last two the upper half of its counter.
 *
 * @source Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC11), Philox-4x32 with 7 rounds
 */
export function philox(counter: number, stream: number, key: NoiseKey): [number, number, number, number] {
  let [c0, c1, c2, c3] = [counter >>> 0, stream >>> 0, key[2] >>> 0, key[3] >>> 0];
  let [k0, k1] = [key[0] >>> 0, key[1] >>> 0];
  for (let round = 0; round < 7; round++) {
    const high0 = mulHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = mulHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Where element i of a field finds its word: 16 neighbors share a word index, so that a vector of counters fills a vector of neighbors. */
export function fieldPosition(i: number): { readonly counter: number; readonly word: number } {
  return { counter: Math.floor(i / 64) * 16 + (i % 16), word: Math.floor(i / 16) % 4 };
}

/** The upper 23 bits of a word as a number inside (0, 1): exact in single precision. */
export function unitInterval(word: number): number {
  return ((word >>> 9) + 0.5) / 8388608;
}
