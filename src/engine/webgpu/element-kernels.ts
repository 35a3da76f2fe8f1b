import * as tf from "@tensorflow/tfjs-core";
import { dropoutLimit } from "../ops/seeded-dropout.js";
import type { GpuKernel, GpuKernelTable } from "./gpu-kernel.js";
import { runProgram, sizeOf, THREAD } from "./run-program.js";

/** The stock cast of integers passes their memory on as floats, which transposing then refuses. */
function castKernel(stock: tf.KernelFunc): GpuKernel {
  return ({ inputs, attrs, backend }) => {
    const { x } = inputs;
    if (x!.dtype === attrs.dtype || attrs.dtype !== "float32" || (x!.dtype !== "int32" && x!.dtype !== "bool")) {
      return stock({ inputs: inputs as unknown as tf.NamedTensorInfoMap, attrs, backend }) as tf.TensorInfo;
    }
    const n = sizeOf(x!);
    const code = `fn main() { ${THREAD} if (i < uniforms.n) { result[i] = f32(x[i]); } }`;
    return runProgram(backend, { name: "cast", constants: [x!.dtype], code, inputs: { x: x! }, integers: { n }, shape: x!.shape });
  };
}

/** Inputs of a shader beside its output and its uniforms that every card takes. */
const MOST_INPUTS = 6;

/** The stock kernel reads all at once, which no card takes of many. */
function addNKernel(stock: tf.KernelFunc): GpuKernel {
  return ({ inputs, attrs, backend }) => {
    let left = Object.values(inputs) as tf.TensorInfo[];
    let sum: tf.TensorInfo | undefined;
    while (left.length > 0) {
      const part = [...(sum ? [sum] : []), ...left].slice(0, MOST_INPUTS);
      left = left.slice(part.length - (sum ? 1 : 0));
      const next = stock({ inputs: part as unknown as tf.NamedTensorInfoMap, attrs, backend }) as tf.TensorInfo;
      if (sum) backend.disposeData(sum.dataId);
      sum = next;
    }
    return sum!;
  };
}

/** One axis of a tile: `[outer, size, inner]` → `[outer, size * times, inner]`. */
const tile: GpuKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  const reps = attrs.reps as number[];
  const shape = x.shape.map((extent, axis) => extent * reps[axis]!);
  const axes = reps.flatMap((times, axis) => (times === 1 ? [] : [axis]));
  if (axes.length === 0) {
    backend.incRef(x.dataId);
    return { dataId: x.dataId, dtype: x.dtype, shape };
  }
  let current: tf.TensorInfo = x;
  for (const axis of axes) {
    const next = current.shape.with(axis, shape[axis]!);
    const inner = tf.util.sizeFromShape(current.shape.slice(axis + 1));
    const code = `fn main() { ${THREAD} if (i < uniforms.n) {
      let row = i / uniforms.inner;
      let outer = row / uniforms.tall;
      result[i] = x[(outer * uniforms.size + row % uniforms.tall % uniforms.size) * uniforms.inner + i % uniforms.inner];
    } }`;
    const integers = { n: tf.util.sizeFromShape(next), inner, size: current.shape[axis]!, tall: shape[axis]! };
    const tiled = runProgram(backend, { name: "tile", constants: [x.dtype], code, inputs: { x: current }, integers, shape: next, dtype: x.dtype });
    if (current !== x) backend.disposeData(current.dataId);
    current = tiled;
  }
  return current;
};

/** The mask is a function of place and key, the same as on every engine. */
const dropout: GpuKernel = ({ inputs, attrs, backend }) => {
  const x = (inputs.x ?? inputs.dy)!;
  const { rate, key } = attrs as { rate: number; key: readonly [number, number] };
  const code = `
    fn finalize(value : u32) -> u32 {
      var h = value ^ (value >> 16u);
      h *= 0x85ebca6bu;
      h ^= h >> 13u;
      h *= 0xc2b2ae35u;
      return h ^ (h >> 16u);
    }
    fn main() { ${THREAD} if (i < uniforms.n) {
      let hash = finalize(finalize(u32(i) ^ bitcast<u32>(uniforms.seed)) + bitcast<u32>(uniforms.salt));
      result[i] = select(0.0, x[i] * uniforms.scale, hash >= bitcast<u32>(uniforms.limit));
    } }`;
  const integers = { n: sizeOf(x), seed: key[0] | 0, salt: key[1] | 0, limit: dropoutLimit(rate) | 0 };
  return runProgram(backend, { name: "dropout", code, inputs: { x }, integers, floats: { scale: Math.fround(1 / (1 - rate)) }, shape: x.shape });
};

/** Kernels that go value by value. */
export function elementKernels(stock: ReadonlyMap<string, tf.KernelFunc>): GpuKernelTable {
  return {
    AddN: addNKernel(stock.get("AddN")!),
    Cast: castKernel(stock.get("Cast")!),
    Tile: tile,
    SeededDropout: dropout,
    SeededDropoutGrad: dropout,
  };
}
