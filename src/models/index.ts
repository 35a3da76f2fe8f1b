export { checkPatch } from "./check-patch.js";
export { type Activation, type ActivationOptions, type Layers, type LayersForOptions, layersFor, type Normalization } from "./layers-for.js";
export type { ModelInput, ModelSpec } from "./model-spec.js";
export { type PlainUnetOptions, plainUnet } from "./plain-unet.js";
export { type Pooling, poolingDivisor, poolingFactors } from "./pooling-factors.js";
export { type UnetOptions, unet } from "./unet.js";
