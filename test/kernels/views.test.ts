import { describe, expect, it } from "vitest";
import { elementCount, type Shape4, type Triple } from "../../src/core/shape.js";
import * as k from "../../src/kernels/index.js";
import { blobLabels, randomFloats } from "./random-arrays.js";

const SHAPE: Shape4 = [5, 7, 43, 1];
const SIZE: Triple = [5, 7, 43];
const SMALL: Shape4 = [4, 9, 31, 1];
const COUNT = elementCount(SHAPE);

/** Arrays as patches of a slab are: anywhere in shared memory, with other data before and behind. */
class Memory {
  private readonly buffer = new SharedArrayBuffer(1 << 20);
  private at: number;
  private readonly views: { readonly start: number; readonly end: number }[] = [];

  constructor(private readonly shift: number) {
    new Uint8Array(this.buffer).fill(0xa5);
    this.at = 64;
  }

  private next(bytes: number, element: number): number {
    // Aligned to the element, as JavaScript demands, and to nothing more.
    const start = Math.ceil((this.at + this.shift * element) / element) * element;
    this.at = start + bytes + 40;
    this.views.push({ start, end: start + bytes });
    return start;
  }

  floats(values: Float32Array | number): Float32Array {
    const length = typeof values === "number" ? values : values.length;
    const view = new Float32Array(this.buffer, this.next(4 * length, 4), length);
    if (typeof values !== "number") view.set(values);
    return view;
  }

  bytes(values: Uint8Array | number): Uint8Array {
    const length = typeof values === "number" ? values : values.length;
    const view = new Uint8Array(this.buffer, this.next(length, 1), length);
    if (typeof values !== "number") view.set(values);
    return view;
  }

  /** Whether everything between the arrays is as it was. */
  get isUntouched(): boolean {
    const all = new Uint8Array(this.buffer);
    let from = 0;
    for (const { start, end } of this.views) {
      if (!all.subarray(from, start).every((byte) => byte === 0xa5)) return false;
      from = end;
    }
    return all.subarray(from).every((byte) => byte === 0xa5);
  }
}

const image = randomFloats(COUNT, "views");
const labels = blobLabels(COUNT, "views", 4);

const KERNELS: Readonly<Record<string, (m: Memory) => ArrayLike<number>>> = {
  clip: (m) => made(m.floats(COUNT), (o) => k.clip(m.floats(image), o, { min: -1, max: 2 })),
  affineIntensity: (m) => made(m.floats(COUNT), (o) => k.affineIntensity(m.floats(image), o, { shift: 1, scale: 3, offset: 2 })),
  normalize: (m) => made(m.floats(COUNT), (o) => k.normalize(m.floats(image), o, { mode: "z-score", labels: m.bytes(labels) })),
  statistics: (m) => Object.values(k.statistics(m.floats(image), { labels: m.bytes(labels), label: 2 })[0]!),
  percentiles: (m) => k.percentiles(m.floats(image), [3, 50, 98]),
  mirror: (m) => made(m.floats(COUNT), (o) => k.mirror(m.floats(image), SHAPE, o, [true, false, true])),
  reorient: (m) => made(m.bytes(COUNT), (o) => k.reorient(m.bytes(labels), SHAPE, o, [2, 0, 1], [true, false, true])),
  copyBox: (m) => made(m.floats(elementCount(SMALL)), (o) => k.copyBox(m.floats(image), SHAPE, o, SMALL, [1, -2, 3], 9)),
  padVolume: (m) => made(m.bytes(9 * 9 * 60), (o) => k.padVolume(m.bytes(labels), SHAPE, o, [9, 9, 60, 1], [1, 2, 9], { mode: "reflect" })),
  resampleImage: (m) => made(m.floats(elementCount(SMALL)), (o) => k.resampleImage(m.floats(image), SHAPE, o, SMALL, { order: 3 })),
  resampleLabel: (m) => made(m.bytes(elementCount(SMALL)), (o) => k.resampleLabel(m.bytes(labels), SHAPE, o, SMALL, { order: 1 })),
  mapLabels: (m) => made(m.bytes(COUNT), (o) => k.mapLabels(m.bytes(labels), o, Uint16Array.of(3, 2, 1, 0))),
  oneHot: (m) => made(m.floats(4 * COUNT), (o) => k.oneHot(m.bytes(labels), o, 4)),
  labelCounts: (m) => k.labelCounts(m.bytes(labels)),
  extractSurface: (m) => made(m.bytes(COUNT), (o) => k.extractSurface(m.bytes(labels), SIZE, o)),
  distanceTransform: (m) => made(m.floats(COUNT), (o) => k.distanceTransform(m.bytes(labels), SIZE, o, [3, 1, 0.5])),
  windowAccumulate: (m) => {
    const [sum, weightSum] = [m.floats(new Float32Array(COUNT)), m.floats(new Float32Array(COUNT).fill(1))];
    k.windowAccumulate(sum, weightSum, SHAPE, m.floats(image), SHAPE, [1, -2, 5], m.floats(image.map(Math.abs)));
    return made(m.floats(COUNT), (o) => k.windowFinish(sum, weightSum, o, 1));
  },
};

function made<A>(output: A, work: (output: A) => void): A {
  work(output);
  return output;
}

describe("kernels work on views anywhere in shared memory, and write nothing beside them", () => {
  it.each(Object.keys(KERNELS))("%s", (name) => {
    const expected = [...Array.from(KERNELS[name]!(new Memory(0)))];
    expect(expected.some((value) => value !== 0)).toBe(true);
    for (const shift of [1, 2, 3, 5, 7, 11]) {
      const memory = new Memory(shift);
      expect(Array.from(KERNELS[name]!(memory))).toEqual(expected);
      expect(memory.isUntouched, `shift ${shift}`).toBe(true);
    }
  });
});
