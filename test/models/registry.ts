import {
  attentionResidualUnet,
  attentionUnet,
  compactUnet,
  denseUnet,
  highResolutionDenseUnet,
  type ModelSpec,
  multiPathUnet,
  multiResUnet,
  type Normalization,
  plainUnet,
  residualEncoderUnet,
  residualUnet,
  unet,
} from "../../src/models/index.js";

export interface SmallOptions {
  readonly normalization?: Normalization;
  readonly groups?: number;
  readonly dropout?: number;
}

export interface RegisteredModel {
  readonly name: string;
  /** A network of this kind that pools once by 2 and has few filters. */
  small(options?: SmallOptions): ModelSpec;
  /** The network that these options, as a bundle keeps them, stand for. */
  again(options: object): ModelSpec;
}

const family = { unet, residualUnet, denseUnet, highResolutionDenseUnet, compactUnet, multiResUnet, attentionUnet, attentionResidualUnet };

/** Every network, for tests that all must pass. */
export const MODELS: readonly RegisteredModel[] = [
  ...Object.entries(family).map(([name, make]) => ({
    name,
    small: (options: SmallOptions = {}) => make({ filters: 4, depth: 1, ...options }),
    again: make,
  })),
  {
    name: "plainUnet",
    small: (options = {}) => plainUnet({ filters: [6], pooling: [[2, 2, 2]], ...options }),
    again: plainUnet,
  },
  {
    name: "multiPathUnet",
    small: (options = {}) =>
      multiPathUnet({
        dropout: 0,
        paths: [
          { factor: 4, filters: [4] },
          { factor: 2, filters: [4, 6] },
        ],
        ...options,
      }),
    again: multiPathUnet,
  },
  {
    name: "residualEncoderUnet",
    small: (options = {}) => residualEncoderUnet({ filters: [4, 8], blocks: [1, 2], pooling: "isotropic", ...options }),
    again: residualEncoderUnet,
  },
];
