import type { Shape4 } from "../../core/shape.js";

/** The validation patch with the most foreground after an epoch, for pictures. The arrays are the receiver's to keep. */
export interface PreviewInput {
  readonly id: string;
  /** Counted from 1. */
  readonly epoch: number;
  readonly image: Float32Array;
  readonly shape: Shape4;
  readonly label: Uint8Array | Uint16Array;
  /** The predicted label of each voxel. */
  readonly prediction: Uint8Array | Uint16Array;
  readonly classes: readonly string[];
  /** The run's folder. */
  readonly folder: string;
}

/** Renders a preview and tells its path, relative to the run's folder. */
export type PreviewRenderer = (input: PreviewInput) => Promise<string | undefined> | string | undefined;
