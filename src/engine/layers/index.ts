export * from "./convolution.js";
export * from "./dropout.js";
export { extent3, type LayerExtent, requireExtent } from "./kernel-layer.js";
export * from "./layer-normalization.js";
export * from "./normalization-layer.js";
export * from "./transposed-convolution.js";
export * from "./up-sampling-3d.js";
