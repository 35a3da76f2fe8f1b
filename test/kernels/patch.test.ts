import { describe, expect, it } from "vitest";
import type { Dtype } from "../../src/core/dtype.js";
import { typedView } from "../../src/core/dtype.js";
import { Random } from "../../src/core/random.js";
import { elementCount, type Shape4, type Triple } from "../../src/core/shape.js";
import { copyBoxReference } from "../../src/kernels/copy-box/reference.js";
import { copyBox, mirror, padVolume, reorient, type VoxelArray } from "../../src/kernels/index.js";
import { mirrorReference } from "../../src/kernels/mirror/reference.js";
import { padOutsideReference } from "../../src/kernels/pad-volume/reference.js";
import { reorientReference } from "../../src/kernels/reorient/reference.js";

const DTYPES: readonly Dtype[] = ["float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32"];

function filled(dtype: Dtype, shape: Shape4): VoxelArray {
  const count = elementCount(shape);
  const array = typedView(dtype, new SharedArrayBuffer(8 * count), 0, count);
  for (let i = 0; i < count; i++) array[i] = (i * 37 + 11) % 120;
  return array;
}

const empty = (dtype: Dtype, shape: Shape4): VoxelArray => typedView(dtype, new ArrayBuffer(8 * elementCount(shape)), 0, elementCount(shape));

describe("mirror", () => {
  it("equals the reference for every element type, shape and set of axes", () => {
    const random = new Random("mirror");
    for (const dtype of DTYPES) {
      for (let trial = 0; trial < 12; trial++) {
        const shape: Shape4 = [random.integer(1, 4), random.integer(1, 5), random.integer(1, 150), random.integer(1, 3)];
        const axes = [random.chance(0.5), random.chance(0.5), random.chance(0.5)] as const;
        const input = filled(dtype, shape);
        const [native, reference] = [empty(dtype, shape), empty(dtype, shape)];
        mirror(input, shape, native, axes);
        mirrorReference(input, shape, reference, axes);
        expect(native).toEqual(reference);
        mirror(native, shape, reference, axes);
        expect([...reference]).toEqual([...input]);
      }
    }
  });

  it("refuses to work in place and other element types", () => {
    const array = new Float32Array(8);
    expect(() => mirror(array, [2, 2, 2, 1], array, [true, false, false])).toThrow("mirror: output must be memory of its own");
    expect(() => mirror(array, [2, 2, 2, 1], new Uint8Array(8) as never, [true, false, false])).toThrow(
      "mirror: output must be a Float32Array, got Uint8Array",
    );
  });
});

describe("reorient", () => {
  const ORDERS: readonly Triple[] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];

  it("equals the reference for every element type, order and set of flips, and its inverse undoes it", () => {
    const random = new Random("reorient");
    for (const dtype of DTYPES) {
      for (const order of ORDERS) {
        for (let trial = 0; trial < 4; trial++) {
          const shape: Shape4 = [random.integer(1, 40), random.integer(1, 7), random.integer(1, 70), random.integer(1, 3)];
          const flips = [random.chance(0.5), random.chance(0.5), random.chance(0.5)] as const;
          const input = filled(dtype, shape);
          const [native, reference] = [empty(dtype, shape), empty(dtype, shape)];
          reorient(input, shape, native, order, flips);
          reorientReference(input, shape, reference, order, flips);
          expect(native, `${shape}, ${order}, ${flips}`).toEqual(reference);
          const at = (axis: number) => order.indexOf(axis) as 0 | 1 | 2;
          const turned: Shape4 = [shape[order[0]]!, shape[order[1]]!, shape[order[2]]!, shape[3]];
          reorient(native, turned, reference, [at(0), at(1), at(2)], [flips[at(0)], flips[at(1)], flips[at(2)]]);
          expect([...reference]).toEqual([...input]);
        }
      }
    }
  });

  // numpy 1.24.2: np.flip(np.arange(6).reshape(1, 2, 3).transpose(2, 0, 1), 0).ravel()
  it("equals numpy.transpose and numpy.flip", () => {
    const output = new Float32Array(6);
    reorient(Float32Array.of(0, 1, 2, 3, 4, 5), [1, 2, 3, 1], output, [2, 0, 1], [true, false, false]);
    expect([...output]).toEqual([2, 5, 1, 4, 0, 3]);
    expect(() => reorient(output, [1, 2, 3, 1], new Float32Array(6), [0, 0, 1], [true, false, false])).toThrow(
      "reorient: order must be a permutation of 0, 1, 2, got [0,0,1]",
    );
    expect(() => reorient(output, [1, 2, 3, 1], output, [0, 1, 2], [true, false, false])).toThrow("reorient: output must be memory of its own");
  });
});

describe("copyBox", () => {
  it("equals the reference for every element type, inside, across and outside the image", () => {
    const random = new Random("copyBox");
    for (const dtype of DTYPES) {
      for (let trial = 0; trial < 30; trial++) {
        const channels = random.integer(1, 3);
        const shape: Shape4 = [random.integer(1, 5), random.integer(1, 5), random.integer(1, 40), channels];
        const outShape: Shape4 = [random.integer(1, 6), random.integer(1, 6), random.integer(1, 40), channels];
        const start: Triple = [random.integer(-7, 6), random.integer(-7, 6), random.integer(-45, 42)];
        const fill = Array.from({ length: channels }, (_, c) => 90 + c);
        const input = filled(dtype, shape);
        const [native, reference] = [empty(dtype, outShape), empty(dtype, outShape)];
        copyBox(input, shape, native, outShape, start, fill);
        copyBoxReference(input, shape, reference, outShape, start, Float64Array.from(fill));
        expect(native).toEqual(reference);
      }
    }
  });

  it("refuses shapes that do not fit", () => {
    const array = new Float32Array(8);
    expect(() => copyBox(array, [2, 2, 2, 1], new Float32Array(7), [2, 2, 2, 1], [0, 0, 0])).toThrow(
      "copyBox: output must be an array of 8 elements, got 7",
    );
    expect(() => copyBox(array, [2, 2, 2, 1], new Float32Array(16), [2, 2, 2, 2], [0, 0, 0])).toThrow("copyBox: outShape must be of 1 channels");
    expect(() => copyBox(array, [2, 2, 2, 1], new Float32Array(8), [2, 2, 2, 1], [0.5, 0, 0])).toThrow("copyBox: start must be whole numbers");
  });
});

describe("padVolume", () => {
  // numpy 1.24.2: np.pad(a, [(1, 1), (0, 1)], mode)
  it("equals numpy.pad", () => {
    const input = Float32Array.from([1, 2, 3, 4, 5, 6]);
    const pad = (mode: "minimum" | "edge" | "reflect" | "constant", outShape: Shape4, before: Triple) => {
      const output = new Float32Array(elementCount(outShape));
      padVolume(input, [1, 2, 3, 1], output, outShape, before, { mode, value: 9 });
      return [...output];
    };
    expect(pad("minimum", [1, 4, 4, 1], [0, 1, 0])).toEqual([1, 2, 3, 1, 1, 2, 3, 1, 4, 5, 6, 4, 1, 2, 3, 1]);
    expect(pad("edge", [1, 4, 4, 1], [0, 1, 0])).toEqual([1, 2, 3, 3, 1, 2, 3, 3, 4, 5, 6, 6, 4, 5, 6, 6]);
    expect(pad("reflect", [1, 4, 4, 1], [0, 1, 0])).toEqual([4, 5, 6, 5, 1, 2, 3, 2, 4, 5, 6, 5, 1, 2, 3, 2]);
    expect(pad("constant", [1, 3, 4, 1], [0, 0, 1])).toEqual([9, 1, 2, 3, 9, 4, 5, 6, 9, 9, 9, 9]);
    expect(() => pad("edge", [1, 2, 3, 1], [0, 1, 0])).toThrow("padVolume: before must be >= 0 with room for 1x2x3x1 in 1x2x3x1");
  });

  it("equals the reference for every element type and mode", () => {
    const random = new Random("padVolume");
    for (const dtype of DTYPES) {
      for (const mode of ["edge", "reflect", "minimum"] as const) {
        for (let trial = 0; trial < 8; trial++) {
          const shape: Shape4 = [random.integer(1, 4), random.integer(1, 4), random.integer(1, 9), random.integer(1, 3)];
          const before: Triple = [random.integer(0, 9), random.integer(0, 3), random.integer(0, 12)];
          const outShape = shape.map((extent, axis) => (axis === 3 ? extent : extent + before[axis]! + random.integer(0, 9))) as unknown as Shape4;
          const input = filled(dtype, shape);
          const [native, reference] = [empty(dtype, outShape), empty(dtype, outShape)];
          padVolume(input, shape, native, outShape, before, { mode });
          copyBoxReference(input, shape, reference, outShape, [-before[0], -before[1], -before[2]], new Float64Array(shape[3]));
          padOutsideReference(reference, outShape, shape, before, mode);
          expect(native).toEqual(reference);
        }
      }
    }
  });
});
