import "../../kernels/native.js";

/** The training side of the addon. Every function checks its arguments and throws instead of reaching outside an array. */
declare module "../../kernels/native.js" {
  interface NativeAddon {
    convForward(
      x: Float32Array,
      filter: Float32Array,
      bias: Float32Array | null,
      y: Float32Array,
      geometry: Float64Array,
      activation: number,
      alpha: number,
    ): void;
    convInputGradient(
      dy: Float32Array,
      filter: Float32Array,
      bias: Float32Array | null,
      dx: Float32Array,
      geometry: Float64Array,
      activation: number,
      alpha: number,
    ): void;
    convFilterGradient(x: Float32Array, dy: Float32Array, dw: Float32Array, geometry: Float64Array): void;
    unary(op: number, x: Float32Array, y: Float32Array, alpha: number, beta: number): void;
    binary(op: number, a: Float32Array, b: Float32Array, y: Float32Array, shape: Float64Array, alpha: number): void;
    compare(op: number, a: Float32Array, b: Float32Array, y: Uint8Array, shape: Float64Array): void;
    select(condition: Uint8Array, a: Float32Array, b: Float32Array, y: Float32Array, shape: Float64Array): void;
    accumulate(x: Float32Array, y: Float32Array): void;
    reduce(op: number, x: Float32Array, y: Float32Array, outer: number, count: number, inner: number): void;
    argMax(x: Float32Array, y: Int32Array, outer: number, count: number, inner: number): void;
    softmax(x: Float32Array, y: Float32Array, rows: number, channels: number, logarithm: number): void;
    softmaxGrad(dy: Float32Array, y: Float32Array, dx: Float32Array, rows: number, channels: number, logarithm: number): void;
    stridedCopy(source: Elements, target: Elements, view: Float64Array): void;
    poolForward(x: Float32Array, y: Float32Array, geometry: Float64Array, average: number): void;
    maxPoolGrad(x: Float32Array, dy: Float32Array, dx: Float32Array, geometry: Float64Array): void;
    averagePoolGrad(dy: Float32Array, dx: Float32Array, geometry: Float64Array): void;
  }
}

/** How the values of a tensor lie in memory: float32, int32, bool. */
export type Elements = Float32Array | Int32Array | Uint8Array;
