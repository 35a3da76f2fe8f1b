export { attentionResidualUnet } from "./attention-residual-unet.js";
export { attentionUnet } from "./attention-unet.js";
export { checkPatch } from "./check-patch.js";
export { compactUnet } from "./compact-unet.js";
export { type CustomModelOptions, customModel } from "./custom-model.js";
export { defineNetwork, type NetworkDefinition, type NetworkInput } from "./define-network.js";
export { denseUnet } from "./dense-unet.js";
export { extentDivisor } from "./extent-divisor.js";
export { highResolutionDenseUnet } from "./high-resolution-dense-unet.js";
export {
  type Activation,
  type ActivationOptions,
  type ConvolutionLayerOptions,
  type Layers,
  type LayersForOptions,
  layersFor,
  type Normalization,
  type NormalizationLayerOptions,
} from "./layers-for.js";
export type { ModelInput, ModelSpec } from "./model-spec.js";
export { type EncoderPath, type MultiPathUnetOptions, multiPathUnet } from "./multi-path-unet.js";
export { multiResUnet } from "./multi-res-unet.js";
export type { OnnxAttribute, OnnxNode, OnnxTensor } from "./onnx/encode-onnx.js";
export { type ExportOnnxOptions, exportOnnx } from "./onnx/export-onnx.js";
export { type LayerConversion, type LayerConverter, type LayerWeight, layerConverters } from "./onnx/layer-converters.js";
export { type OnnxAttributeValue, OnnxGraph } from "./onnx/onnx-graph.js";
export { type PlainUnetOptions, plainUnet } from "./plain-unet.js";
export { type Pooling, poolingDivisor, poolingFactors } from "./pooling-factors.js";
export { type ResidualEncoderUnetOptions, residualEncoderUnet } from "./residual-encoder-unet.js";
export { residualUnet } from "./residual-unet.js";
export { stockModel } from "./stock-model.js";
export { unet } from "./unet.js";
export type { UnetOptions } from "./unet-options.js";
export { type LayerShapes, type LayerVisitor, walkModel } from "./walk-model.js";
