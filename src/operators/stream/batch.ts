import type { OperatorFunction } from "rxjs";
import type { Batch, BatchPart } from "../../core/batch.js";
import { Block } from "../../core/block.js";
import { isVoxError, requireOption, VoxError } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { type Sample, sampleName } from "../../core/sample.js";
import { formatShape, type Shape4, type Shape5, type Triple } from "../../core/shape.js";
import type { SlabPool } from "../../core/slab-pool.js";
import type { VoxelSource } from "../../core/voxel-source.js";
import { batchOf } from "../../streams/stages/batch-of.js";
import { withSample } from "../chain-run.js";
import { mendOf } from "../mend-of.js";
import { describeOperator, keyOperator } from "../operator-link.js";
import { describeMargin } from "../patch/patch-reach.js";
import { withRunContext } from "../with-run-context.js";

export interface BatchOptions {
  /** Samples per batch. */
  readonly size: number;
  /** "keep": the last batch of an epoch may be smaller; "drop": it is left out, in training (validation and prediction leave nothing out). Default "keep". */
  readonly incomplete?: "keep" | "drop";
}

/**
 * Stacks samples of one shape into batches, in memory of their own. A batch never mixes epochs.
 *
 * @shape image N × (D, H, W, C) → (N, D, H, W, C); label likewise
 * @units as the samples
 * @label stacked alike
 * @throws `ERR_OPTION` when `size` is not a whole number ≥ 1; `ERR_SHAPE` with the sample when shapes differ; `ERR_EMPTY` when the first epochs are all
 * shorter than a batch, and incomplete ones are dropped
 * @source own
 * @example
 * patches.pipe(batch({ size: 2 }))
 */
export function batch(options: BatchOptions): OperatorFunction<Sample, Batch> {
  requireKnownOptions("batch", options, ["size", "incomplete"]);
  const { size, incomplete = "keep" } = options;
  requireOption(Number.isSafeInteger(size) && size >= 1, "batch", "size", "a whole number >= 1", size);
  requireOption(incomplete === "keep" || incomplete === "drop", "batch", "incomplete", '"keep" or "drop"', incomplete);
  const operator = withRunContext<Sample, Batch>("batch", ({ pool, mode }) =>
    batchOf<Sample, Batch>({
      size,
      last: mode === "training" ? incomplete : "keep",
      collate: (samples) => stack(samples, pool),
      bytes: bytesOf,
      recover: (error, samples) => {
        const damaged = samples.find((sample) => isVoxError(error) && error.sampleId === sampleName(sample));
        return damaged && mendOf(error, damaged);
      },
    }),
  );
  return keyOperator(describeOperator(operator, { batch: { size } }), ["batch", { size, incomplete }]);
}

/** Two blocks, each rounded up to a page. */
function bytesOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { image, label }) => sum + image.byteLength + (label?.byteLength ?? 0), 2 * 4096);
}

function stack(samples: readonly Sample[], pool: SlabPool): Batch {
  const first = samples[0]!;
  for (const sample of samples) requireAlike(first, sample);
  const image = stackArrays(samples, (sample) => sample.image, pool);
  try {
    // Every sample has one if the first has: requireAlike has looked.
    const label = first.label && stackArrays(samples, (sample) => sample.label!, pool);
    return { image: image as Batch["image"], ...(label && { label: label as NonNullable<Batch["label"]> }), parts: samples.map(partOf) };
  } catch (error) {
    image.retain().release();
    throw error;
  }
}

type StackedDtype = "float32" | "uint8" | "uint16";

function stackArrays(samples: readonly Sample[], arrayOf: (sample: Sample) => VoxelSource<StackedDtype>, pool: SlabPool): Block<StackedDtype> {
  const { shape, dtype } = arrayOf(samples[0]!);
  const block = Block.allocate(pool, dtype, [samples.length, ...shape] satisfies Shape5);
  const each = block.data.length / samples.length;
  samples.forEach((sample, index) => {
    try {
      copyInto(arrayOf(sample), block.data.subarray(index * each, (index + 1) * each));
    } catch (error) {
      block.retain().release();
      throw withSample(error, sampleName(sample));
    }
  });
  return block;
}

function copyInto(source: VoxelSource<StackedDtype>, target: Float32Array | Uint8Array | Uint16Array): void {
  if (source.readRegion) source.readRegion([0, 0, 0], source.shape.slice(0, 3) as unknown as Triple, target);
  // A source that is not stored is a volume.
  else target.set((source as unknown as { readonly data: Float32Array }).data);
}

function partOf({ id, epoch, patch, origin, history, source }: Sample): BatchPart {
  const ofPatch = { ...(patch !== undefined && { patch }), ...(origin && { origin }) };
  return { id, epoch, ...ofPatch, history, ...(!origin && source && { source }) };
}

function requireAlike(first: Sample, sample: Sample): void {
  const fail = (sentence: string): never => {
    throw new VoxError(sentence, { code: "ERR_SHAPE", where: "batch", sampleId: sampleName(sample) });
  };
  const same = (a: Shape4, b: Shape4) => a.every((extent, axis) => extent === b[axis]);
  if (sample.margin) fail(`a patch with a margin (${describeMargin(sample.margin)}) must go to augment, which trims it, before batch`);
  if (!same(first.image.shape, sample.image.shape)) {
    fail(
      `samples of a batch must have one shape, got ${formatShape(first.image.shape)} of ${sampleName(first)} and ${formatShape(sample.image.shape)}; cut patches first`,
    );
  }
  if (!first.label !== !sample.label) fail(`samples of a batch must all have a label map or none, got both`);
  if (!first.label || !sample.label) return;
  if (!same(first.label.shape, sample.label.shape) || first.label.dtype !== sample.label.dtype) {
    fail(
      `label maps of a batch must be alike, got ${first.label.dtype} ${formatShape(first.label.shape)} of ${sampleName(first)} and ${sample.label.dtype} ${formatShape(sample.label.shape)}`,
    );
  }
}
