import * as tf from "@tensorflow/tfjs-core";
import type { KernelArguments, KernelTable } from "./kernel-table.js";

function isCovered(x: tf.TensorInfo): x is tf.TensorInfo & { dtype: "float32" | "int32" | "bool" } {
  return x.dtype === "float32" || x.dtype === "int32" || x.dtype === "bool";
}

function gather({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const { x, indices } = inputs as { x: tf.TensorInfo; indices: tf.TensorInfo };
  if (!isCovered(x) || indices.dtype !== "int32") return undefined;
  const axis = tf.util.parseAxisParam(attrs.axis, x.shape)[0]!;
  const all = backend.values(indices) as Int32Array;
  const size = x.shape[axis]!;
  for (const index of all) tf.util.assert(index >= 0 && index < size, () => `GatherV2: the index value ${index} is not in [0, ${size - 1}]`);
  const { batchSize, outerSize, sliceSize, outputShape } = tf.backend_util.segment_util.collectGatherOpShapeInfo(
    x as tf.Tensor,
    indices as tf.Tensor,
    axis,
    attrs.batchDims ?? 0,
  );
  const y = backend.output(outputShape, x.dtype);
  const values = backend.values(x);
  const picked = batchSize === 0 ? 0 : all.length / batchSize;
  const [from, to] = [outerSize * size * sliceSize, outerSize * picked * sliceSize];
  for (let n = 0; n < batchSize; n++) {
    const batch = all.subarray(n * picked, (n + 1) * picked);
    const [source, target] = [values.subarray(n * from, (n + 1) * from), y.values.subarray(n * to, (n + 1) * to)];
    backend.addon.gatherAxis(source, target, outerSize, size, picked, sliceSize, batch);
  }
  return y.info;
}

/** The gradient of a gather. */
function unsortedSegmentSum({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
  if (x.dtype !== "float32" || segmentIds.dtype !== "int32" || segmentIds.shape.length !== 1) return undefined;
  const y = backend.outputFloats([attrs.numSegments, ...x.shape.slice(1)]);
  const inner = tf.util.sizeFromShape(x.shape.slice(1));
  const ids = backend.values(segmentIds) as Int32Array;
  backend.addon.segmentSum(backend.floats(x), y.values, x.shape[0]!, attrs.numSegments, inner, ids);
  return y.info;
}

/** Axis by axis: a mirrored axis is a gather along it. */
function mirrorPad({ inputs, attrs, backend }: KernelArguments): tf.TensorInfo | undefined {
  const x = inputs.x as tf.TensorInfo;
  if (!isCovered(x)) return undefined;
  const paddings = attrs.paddings as [number, number][];
  const edge = attrs.mode === "reflect" ? 0 : 1;
  const axes = x.shape.map((_, d) => d).filter((d) => paddings[d]![0] + paddings[d]![1] > 0);
  if (axes.length === 0) return undefined;
  const shape = [...x.shape];
  let values = backend.values(x);
  let held: tf.TensorInfo | undefined;
  for (const d of axes) {
    const size = shape[d]!;
    const [before, after] = paddings[d]!;
    const indices = Int32Array.from({ length: before + size + after }, (_, i) => {
      const at = i - before;
      return at < 0 ? -at - edge : at >= size ? 2 * (size - 1) - at + edge : at;
    });
    shape[d] = indices.length;
    const y = backend.output([...shape], x.dtype);
    const [outer, inner] = [tf.util.sizeFromShape(shape.slice(0, d)), tf.util.sizeFromShape(shape.slice(d + 1))];
    backend.addon.gatherAxis(values, y.values, outer, size, indices.length, inner, indices);
    if (held) backend.disposeIntermediateTensorInfo(held);
    held = y.info;
    values = y.values;
  }
  return held;
}

export const indexingKernels: KernelTable = {
  GatherV2: gather,
  UnsortedSegmentSum: unsortedSegmentSum,
  MirrorPad: mirrorPad,
};
