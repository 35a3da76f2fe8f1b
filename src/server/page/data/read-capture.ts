import type { HistoryMark } from "./history-words.js";

/** One sample of a batch as the trainer received it. */
export interface CapturedSample {
  readonly id: string;
  readonly patch: number | null;
  readonly origin: readonly number[] | null;
  readonly history: readonly HistoryMark[];
  /** `[depth, height, width, channels]`, channels fastest. */
  readonly image: Float32Array;
  /** One label for each voxel; undefined where the batch has none. */
  readonly label: ArrayLike<number> | undefined;
}

/** Samples of the batch of one step. */
export interface Capture {
  readonly step: number;
  readonly epoch: number;
  readonly shape: readonly [number, number, number, number];
  readonly classes: readonly string[];
  /** Samples of the batch that were not written, for their size. */
  readonly left: number;
  readonly samples: readonly CapturedSample[];
}

interface Description extends Omit<Capture, "samples"> {
  readonly label: { readonly dtype: "uint8" | "uint16" | "float32"; readonly channels: number; readonly offset: number } | null;
  readonly samples: readonly Omit<CapturedSample, "image" | "label">[];
}

/**
 * Puts together what `samples/step-<n>.json` describes and `.bin` holds; label maps with one channel per class become label values.
 *
 * @throws when the two do not fit together: the files may be of another make, or half
 */
export function readCapture(description: unknown, bytes: ArrayBuffer): Capture {
  const { step, epoch, shape, classes, label, left, samples } = description as Description;
  const isFit =
    Array.isArray(shape) && shape.length === 4 && shape.every((extent) => Number.isInteger(extent) && extent > 0) && Array.isArray(samples);
  if (!isFit) throw new Error("the description of the samples is of another make");
  const voxels = shape[0] * shape[1] * shape[2];
  const each = voxels * shape[3];
  const width = label === null ? 0 : { uint8: 1, uint16: 2, float32: 4 }[label.dtype];
  const needed = label === null ? samples.length * each * 4 : label.offset + samples.length * voxels * label.channels * width;
  if (!(bytes.byteLength >= needed)) throw new Error("the voxels of the samples are not complete");
  return {
    ...{ step, epoch, shape, classes, left },
    samples: samples.map((sample, i) => ({
      ...sample,
      image: new Float32Array(bytes, i * each * 4, each),
      label: label === null ? undefined : labelsOf(bytes, label, i, voxels),
    })),
  };
}

function labelsOf(bytes: ArrayBuffer, { dtype, channels, offset }: NonNullable<Description["label"]>, i: number, voxels: number): ArrayLike<number> {
  const count = voxels * channels;
  const Type = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array }[dtype];
  const start = offset + i * count * Type.BYTES_PER_ELEMENT;
  // Labels of two bytes may lie behind an odd number of others.
  const values = new Type(bytes.slice(start, start + count * Type.BYTES_PER_ELEMENT));
  if (channels === 1) return values;
  return Uint16Array.from({ length: voxels }, (_, voxel) => {
    for (let c = 1; c < channels; c++) if (values[voxel * channels + c]! > 0.5) return c;
    return 0;
  });
}
