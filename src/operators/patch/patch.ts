import type { Observable, OperatorFunction } from "rxjs";
import { formatBytes } from "../../core/bytes.js";
import { transformGeometry } from "../../core/geometry.js";
import type { Json } from "../../core/json.js";
import { release, retain } from "../../core/retain.js";
import type { RunContext } from "../../core/run-context.js";
import { type Margin, type Sample, sampleName } from "../../core/sample.js";
import type { Triple } from "../../core/shape.js";
import { Volume } from "../../core/volume.js";
import { isSampleFault } from "../../streams/is-sample-fault.js";
import type { Item } from "../../streams/item.js";
import type { Position } from "../../streams/position.js";
import { stage } from "../../streams/stage.js";
import { stageError } from "../../streams/stage-error.js";
import { withSample } from "../chain-run.js";
import { mendOf } from "../mend-of.js";
import { describeOperator, keyOperator } from "../operator-link.js";
import { withRunContext } from "../with-run-context.js";
import { completePatchOptions, type PatchOptions } from "./patch-options.js";
import { drawStart, gridStarts, marginOf, mostMargin, type PatchPlan } from "./patch-plan.js";
import { NO_MARGIN, type PatchReach, tagPatches } from "./patch-reach.js";
import { backgroundOf, isInside, readBox } from "./read-box.js";

/** Share of the memory budget that patches do not fill: with all of it in patches, no batch could be made of them. */
export const KEPT_FOR_BATCHES = 0.1;

/**
 * Cuts patches out of cases. Each is a copy, so the case's memory is free again after its last patch; from cached cases only the touched chunks are read.
 * Every offset is equally likely, the last one included. The last patch of a grid row is shifted back to end with the case. A case smaller than the patch
 * lies in its middle. Foreground is drawn from an index that is made once per case, and kept by `cached`: no draw looks at a label map.
 *
 * @shape image (D, H, W, C) → n × (size + 2·margin, C)
 * @units voxels
 * @label cut alike; outside the case lies background: the smallest voxel of each channel, label 0
 * @throws `ERR_OPTION` when a size is not a whole number ≥ 1 or an overlap is not smaller than the size
 * @source MIScnn 1.4, utils/patch_operations.py (grid)
 * @example
 * samples.pipe(normalize(), patch({ size: [80, 160, 160], perCase: 2, foreground: 0.5 }))
 */
export function patch(options: PatchOptions): OperatorFunction<Sample, Sample> {
  const plan = completePatchOptions(options);
  const cutter = (reach?: PatchReach) =>
    withRunContext<Sample, Sample>("patch", (context) =>
      stage<Sample, Sample>("patch", (node) => {
        const { pool, mode } = context;
        const isGrid = plan.mode === "grid" || mode === "prediction";
        let parent:
          | {
              readonly item: Item<Sample>;
              readonly starts: readonly Triple[] | undefined;
              readonly count: number;
              readonly bytes: readonly [number, number];
            }
          | undefined;
        let next = 0;
        /** Patches of the first case that were delivered before the position that we resume from. */
        let done = node.resume(0, (state: Json) => Number.isInteger(state) && (state as number) >= 0);
        let before: Position = node.graph.from;
        /** A cached case with a damaged chunk is made again while the stage waits; a patch is tried again once. */
        let isMending = false;
        let mendedFor = -1;

        /** A case that cannot be cut is left out from here on, or fails the run. */
        function refuse(error: unknown): void {
          const { item } = parent!;
          const fault = withSample(error, sampleName(item.value));
          if (context.onError !== "skip" || !isSampleFault(fault)) throw stageError(fault, node.name, item.id);
          node.recordSkip(item, fault);
          finish();
        }

        function mendWith(mend: (signal?: AbortSignal) => Promise<void>, item: Item<Sample>): void {
          isMending = true;
          void node.work(
            item,
            ({ signal }) => mend(signal),
            () => {
              isMending = false;
            },
            (error) => {
              isMending = false;
              if (!node.closed) refuse(error);
            },
          );
        }

        function finish(): void {
          before = parent!.item.at;
          release(parent!.item.value);
          parent = undefined;
          mendedFor = -1;
        }

        return {
          room: () => !parent,
          push: (item) => {
            const sample = item.value;
            const starts = isGrid ? gridStarts(plan, sample.image.shape) : undefined;
            parent = { item, starts, count: starts?.length ?? plan.perCase, bytes: bytesOf(sample, plan, mostMargin(plan, sample, context, reach)) };
            next = done;
            done = 0;
          },
          ready: () => {
            if (!parent || isMending) return false;
            if (next >= parent.count) {
              finish();
              return false;
            }
            const hasMemory = pool.ask(parent.bytes, node.pump, KEPT_FOR_BATCHES * pool.budget);
            node.waitingFor = hasMemory
              ? undefined
              : `${formatBytes(parent.bytes[0] + parent.bytes[1])} of memory (${formatBytes(pool.bytesInUse)} of ${formatBytes(pool.budget)} are in use)`;
            return hasMemory;
          },
          pull: () => {
            const { item, starts } = parent!;
            const k = next++;
            try {
              const sample = item.value;
              const value = node.timed(() => cut(sample, plan, k, starts?.[k] ?? drawStart(plan, sample, k, context), context, reach));
              retain(value);
              return { value, id: sampleName(value), epoch: item.epoch, at: { ...before, [node.name]: k + 1 } };
            } catch (error) {
              const mend = mendedFor === k ? undefined : mendOf(error, item.value);
              if (mend) {
                mendedFor = k;
                next = k;
                mendWith(mend, item);
              } else refuse(error);
              return undefined;
            }
          },
          size: () => (parent ? 1 : 0),
          dispose: () => {
            if (parent) release(parent.item.value);
            parent = undefined;
            node.waitingFor = undefined;
          },
        };
      }),
    );
  const operator = describeOperator(
    (source: Observable<Sample>) => {
      const flow = cutter()(source);
      return plan.margin ? flow : tagPatches(flow, (reach) => cutter(reach)(source));
    },
    {
      patch: {
        size: plan.size,
        ...(plan.margin && { margin: plan.margin }),
        ...(plan.mode === "random" && { perCase: plan.perCase }),
        ...(plan.foreground.share > 0 && plan.foreground.by === "lesion" && { lesions: true }),
      },
    },
  );
  // The plan is plain data.
  return keyOperator(operator, ["patch", plan as unknown as Json]);
}

/** Of image and label. */
function bytesOf({ image, label }: Sample, { size }: PatchPlan, [before, after]: Margin = NO_MARGIN): readonly [number, number] {
  const voxels = size.reduce((product, extent, axis) => product * (extent + before[axis]! + after[axis]!), 1);
  const labelBytes = label ? label.shape[3] * (label.dtype === "uint8" ? 1 : 2) : 0;
  return [voxels * image.shape[3] * 4, voxels * labelBytes];
}

function cut(sample: Sample, plan: PatchPlan, k: number, origin: Triple, context: RunContext, reach: PatchReach | undefined): Sample {
  const { pool } = context;
  const { image, label, history, ...rest } = sample;
  const margin = marginOf(plan, { ...sample, patch: k }, origin, context, reach);
  const [[b0, b1, b2], [a0, a1, a2]] = margin ?? NO_MARGIN;
  const start: Triple = [origin[0] - b0, origin[1] - b1, origin[2] - b2];
  const size: Triple = [plan.size[0] + b0 + a0, plan.size[1] + b1 + a1, plan.size[2] + b2 + a2];
  const geometry = transformGeometry(image.geometry, [1, 1, 1], start);
  const made: Volume[] = [];
  try {
    const crop = Volume.create(pool, "float32", [...size, image.shape[3]], geometry);
    made.push(crop);
    readBox(image, start, size, crop.data, isInside(start, size, image.shape) ? 0 : backgroundOf(image));
    const labelCrop = label && Volume.create(pool, label.dtype, [...size, label.shape[3]], geometry);
    if (label && labelCrop) {
      made.push(labelCrop);
      readBox<"uint8" | "uint16">(label, start, size, labelCrop.data, 0);
    }
    return {
      ...rest,
      patch: k,
      origin,
      ...(margin && { margin }),
      image: crop,
      ...(labelCrop && { label: labelCrop }),
      history: [...history, { operator: "patch", params: { start, size, ...(margin && { margin }) } }],
    };
  } catch (error) {
    for (const volume of made) volume.retain().release();
    throw error;
  }
}
