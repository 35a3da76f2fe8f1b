import "../../kernels/native.js";

/** The training side of the addon. Every function checks its arguments and throws instead of reaching outside an array. */
declare module "../../kernels/native.js" {
  interface NativeAddon {
    allocateSlab(bytes: number): ArrayBuffer | undefined;
    releaseSlab(slab: ArrayBuffer): void;
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
    /** Of 4-byte elements of either type. */
    select(condition: Uint8Array, a: Elements, b: Elements, y: Elements, shape: Float64Array): void;
    accumulate(x: Float32Array, y: Float32Array): void;
    classify(what: number, x: Float32Array, y: Uint8Array): void;
    integerUnary(op: number, x: Int32Array, y: Int32Array, low: number, high: number): void;
    integerBinary(op: number, a: Int32Array, b: Int32Array, y: Int32Array, shape: Float64Array): void;
    integerCompare(op: number, a: Int32Array, b: Int32Array, y: Uint8Array, shape: Float64Array): void;
    logical(op: number, a: Uint8Array, b: Uint8Array, y: Uint8Array, shape: Float64Array): void;
    selectBytes(condition: Uint8Array, a: Uint8Array, b: Uint8Array, y: Uint8Array, shape: Float64Array): void;
    integerReduce(op: number, x: Int32Array, y: Int32Array, outer: number, count: number, inner: number): void;
    anyOrAll(all: number, x: Uint8Array, y: Uint8Array, outer: number, count: number, inner: number): void;
    argBest(isMin: number, x: Float32Array | Int32Array, y: Int32Array, outer: number, count: number, inner: number): void;
    gatherAxis(x: Elements, y: Elements, outer: number, inSize: number, outSize: number, inner: number, indices: Int32Array): void;
    segmentSum(x: Float32Array, y: Float32Array, rows: number, segments: number, inner: number, ids: Int32Array): void;
    oneHotIndices(indices: Int32Array, y: Float32Array | Int32Array, depth: number, on: number, off: number): void;
    castValues(x: Elements, y: Elements): void;
    reduce(op: number, x: Float32Array, y: Float32Array, outer: number, count: number, inner: number): void;
    argMax(x: Float32Array, y: Int32Array, outer: number, count: number, inner: number): void;
    softmax(x: Float32Array, y: Float32Array, rows: number, channels: number, logarithm: number): void;
    softmaxGrad(dy: Float32Array, y: Float32Array, dx: Float32Array, rows: number, channels: number, logarithm: number): void;
    stridedCopy(source: Elements, target: Elements, view: Float64Array): void;
    poolForward(x: Float32Array, y: Float32Array, geometry: Float64Array, average: number): void;
    maxPoolGrad(x: Float32Array, dy: Float32Array, dx: Float32Array, geometry: Float64Array): void;
    normForward(
      x: Float32Array,
      gamma: Float32Array,
      beta: Float32Array,
      y: Float32Array,
      mean: Float32Array,
      variance: Float32Array,
      segments: number,
      rows: number,
      channels: number,
      sets: number,
      epsilon: number,
      activation: number,
      alpha: number,
      given: number,
    ): void;
    normGrad(
      x: Float32Array,
      dy: Float32Array,
      gamma: Float32Array,
      beta: Float32Array,
      mean: Float32Array,
      variance: Float32Array,
      dx: Float32Array,
      dgamma: Float32Array,
      dbeta: Float32Array,
      segments: number,
      rows: number,
      channels: number,
      sets: number,
      epsilon: number,
      activation: number,
      alpha: number,
      given: number,
    ): void;
    biasGrad(
      dy: Float32Array,
      y: Float32Array | null,
      g: Float32Array | null,
      dbias: Float32Array,
      rows: number,
      channels: number,
      activation: number,
      alpha: number,
    ): void;
    adam(
      w: Float32Array,
      g: Float32Array,
      m: Float32Array,
      v: Float32Array,
      beta1: number,
      beta2: number,
      size: number,
      root: number,
      epsilon: number,
      decay: number,
    ): void;
    momentum(w: Float32Array, g: Float32Array, u: Float32Array, momentum: number, rate: number, nesterov: number, decay: number): void;
    dropout(x: Float32Array, y: Float32Array, seed: number, salt: number, limit: number, scale: number): void;
    softmaxStatistics(logits: Float32Array, labels: Int32Array, sums: Float32Array, batch: number, rows: number, channels: number): void;
    softmaxStatisticsGrad(
      logits: Float32Array,
      labels: Int32Array,
      dx: Float32Array,
      overlap: Float32Array,
      predicted: Float32Array,
      surprise: Float32Array,
      batch: number,
      rows: number,
      channels: number,
    ): void;
    applyAxis(
      x: Float32Array,
      y: Float32Array,
      outer: number,
      inSize: number,
      outSize: number,
      inner: number,
      starts: Int32Array,
      indices: Int32Array,
      weights: Float32Array,
    ): void;
    averagePoolGrad(dy: Float32Array, dx: Float32Array, geometry: Float64Array): void;
  }
}

/** How the values of a tensor lie in memory: float32, int32, bool. */
export type Elements = Float32Array | Int32Array | Uint8Array;
