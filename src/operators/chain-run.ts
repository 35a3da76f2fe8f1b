import { typedView } from "../core/dtype.js";
import { isVoxError, VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { Random } from "../core/random.js";
import type { RunContext } from "../core/run-context.js";
import { type HistoryEntry, type Sample, sampleName } from "../core/sample.js";
import { elementCount, formatShape } from "../core/shape.js";
import { prepareArenas, type SlabPool } from "../core/slab-pool.js";
import { Volume } from "../core/volume.js";
import type { VoxelSource } from "../core/voxel-source.js";
import { hugePages } from "../kernels/huge-pages/huge-pages.js";
import { findStep } from "../workers/steps/find-step.js";
import type { ArrayLayout, LabelArray, SampleLayout } from "../workers/steps/step.js";
import { applyCalls } from "../workers/steps/step-call.js";
import { STEPS } from "../workers/steps/steps.js";
import type { MeasureStepPayload } from "../workers/tasks/measure-step.js";
import type { ReadCall, RunStepsPayload } from "../workers/tasks/run-steps.js";
import { ChainPlan, type ChainStart, type DrawnStep, mustMeasure, planChain, type Slot } from "./chain-plan.js";
import { ChainReserve } from "./chain-reserve.js";
import { fillFromCustom } from "./load/fill-from-custom.js";
import type { LoadOptions } from "./load/load.js";
import type { OpenCase } from "./load/open-case.js";
import { mendOf } from "./mend-of.js";
import type { DrawSubject, OperatorLink } from "./operator-link.js";
import { describeMargin } from "./patch/patch-reach.js";

// Whoever makes the pool of a graph: its voxels lie on huge pages.
prepareArenas(hugePages);

/** Share of the memory budget that cases do not fill, so that patches and batches of the stages behind always find room. */
export const KEPT_FREE = 0.25;

/** What goes into a chain: a sample, or a case whose headers are read. */
export type ChainInput = Sample | OpenCase;

function isOpenCase(input: ChainInput): input is OpenCase {
  return "voxels" in input;
}

/** Random draws of validation and prediction do not change from epoch to epoch. */
export function drawEpoch(epoch: number, mode: RunContext["mode"]): number {
  return mode === "training" ? epoch : 0;
}

/** The numbers of one operator for one sample: `position` counts the operators that the sample has gone through. */
export function drawRandom(
  { seed, mode }: Pick<RunContext, "seed" | "mode">,
  { id, epoch, patch = -1, cycle }: Pick<Sample, "id" | "epoch" | "patch" | "cycle">,
  name: string,
  position: number,
): Random {
  return new Random(seed, drawEpoch(epoch, mode), id, patch, name, position, ...(cycle === undefined ? [] : ["cycle", cycle]));
}

/** Runs fused 1:1 operators on one sample after another. */
export class ChainRun {
  constructor(
    private readonly links: readonly OperatorLink[],
    private readonly context: RunContext,
    private readonly load: Required<LoadOptions> | undefined,
  ) {}

  /** Bytes that `apply` takes from the pool at most. */
  bytes(input: ChainInput): number {
    return this.pieces(input).reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The pieces of memory that `apply` takes from the pool at most, in its order: they need not lie side by side. */
  pieces(input: ChainInput): readonly number[] {
    try {
      const { slots } = this.plan(input, startOf(input, false, false));
      return slots.flatMap((slot) => (isAllocated(slot, input) ? [byteLength(slot.layout)] : []));
    } catch (error) {
      throw withSample(error, sampleName(identityOf(input)));
    }
  }

  /**
   * Applies the chain. The input stays the caller's, to be released when this has settled; the result has no holder yet.
   *
   * @throws what a step or the reading of a file throws, with the sample's name
   */
  async apply(input: ChainInput, signal?: AbortSignal): Promise<Sample> {
    // Whoever handed the sample over lets go of it before the next turn of the event loop, and only then can it be nobody else's.
    await Promise.resolve();
    const { pool } = this.context;
    // What comes out of the cache is a copy of ours anyway.
    const owns = (source: VoxelSource | undefined): boolean => !(source instanceof Volume) || source.isExclusive;
    const start = isOpenCase(input) ? startOf(input, true, true) : startOf(input, owns(input.image), owns(input.label));
    const plan = new ChainPlan(start);
    const volumes: (Volume | undefined)[] = [];
    let reserve: ChainReserve | undefined;
    try {
      /** Steps that have run. */
      let done = 0;
      const catchUp = async (isLast: boolean): Promise<void> => {
        const isFirst = volumes.length === 0;
        const old = volumes.length;
        if (reserve) fillFrom(reserve, plan, volumes, pool, isLast);
        await this.allocate(plan, input, volumes, signal);
        if (isFirst && !isLast) {
          const later = this.plan(input, start).slots.slice(plan.slots.length);
          reserve = new ChainReserve(
            pool,
            later.map(({ layout }) => byteLength(layout)),
          );
        }
        if (isFirst && isOpenCase(input) && "custom" in input.voxels) {
          // Without a label map the second volume belongs to a step.
          fillFromCustom(input.voxels.custom, volumes[0]!, input.layout.label && volumes[1], input, this.load!);
        }
        await this.compute(plan, input, volumes, { from: done, old }, signal);
        done = plan.calls.length;
      };
      for (const link of this.links) {
        const drawn = this.draw(link, input, plan.layout, plan.history.length);
        if (!drawn) continue;
        if (mustMeasure(drawn)) {
          plan.image.isUsed = true;
          if (plan.label) plan.label.isUsed = true;
          await catchUp(false);
          plan.add(await this.measured(drawn, plan, volumes, signal));
        } else plan.add(drawn);
      }
      await catchUp(true);
    } catch (error) {
      discard(volumes, input, []);
      throw withSample(error, sampleName(identityOf(input)));
    } finally {
      reserve?.release();
    }
    const image = resultOf(plan.image, input, volumes) as VoxelSource<"float32">;
    const label = plan.label && (resultOf(plan.label, input, volumes) as VoxelSource<"uint8" | "uint16">);
    discard(volumes, input, [image, label]);
    return this.finish(input, plan, image, label);
  }

  /** The whole chain, with the most that steps which look at voxels can make of them. */
  private plan(input: ChainInput, start: ChainStart): ChainPlan {
    const steps = this.links.map((link) => (layout: SampleLayout, position: number) => this.draw(link, input, layout, position));
    return planChain(start, steps);
  }

  private draw(
    { name, params, draw, step: own, module }: OperatorLink,
    input: ChainInput,
    layout: SampleLayout,
    position: number,
  ): DrawnStep | undefined {
    const { mode } = this.context;
    const step = own ?? findStep(name)!;
    if (!draw) return { name, params, step, ...(module && { module }) };
    const sample: DrawSubject["sample"] = identityOf(input);
    // `load` is the first entry of the history.
    const past = isOpenCase(input) ? 1 : input.history.length;
    const drawn = draw(drawRandom(this.context, sample, name, past + position), { layout, mode, sample });
    return drawn === undefined ? undefined : { name, params: drawn, step, ...(module && { module }) };
  }

  /** Memory for the slots that have none yet. */
  private async allocate({ slots }: ChainPlan, input: ChainInput, volumes: (Volume | undefined)[], signal?: AbortSignal): Promise<void> {
    const { pool } = this.context;
    for (const slot of slots) {
      if (volumes[slot.index]) continue;
      try {
        volumes[slot.index] = volumeFor(slot, input, pool);
      } catch (error) {
        const mend = isOpenCase(input) ? undefined : mendOf(error, input);
        if (!mend) throw error;
        await mend(signal);
        volumes[slot.index] = volumeFor(slot, input, pool);
      }
    }
  }

  /** The step with what it has found in the voxels in front of it. */
  private async measured(drawn: DrawnStep, plan: ChainPlan, volumes: readonly (Volume | undefined)[], signal?: AbortSignal): Promise<DrawnStep> {
    const { name, params, step, module } = drawn;
    const label = plan.label && volumes[plan.label.index];
    const payload: MeasureStepPayload = {
      name,
      params,
      ...(module && { module: { url: module.url, export: module.export } }),
      layout: plan.layout,
      // Slot types were planned; a slot that is used has its volume.
      image: volumes[plan.image.index]!.data as Float32Array,
      ...(label && { label: label.data as LabelArray }),
    };
    const isInline = !module && !Object.hasOwn(STEPS, name);
    const measured = isInline
      ? step.measure!(payload)
      : ((await this.context.tasks.run("measureStep", payload, { bytes: byteLength(plan.image.layout), ...(signal && { signal }) })) as Json);
    return { ...drawn, params: { ...(params as Readonly<Record<string, Json>>), measured } };
  }

  /** Runs the calls from number `from` on; volumes from number `old` on are new. */
  private async compute(
    { slots, calls: all }: ChainPlan,
    input: ChainInput,
    volumes: readonly (Volume | undefined)[],
    { from, old }: { readonly from: number; readonly old: number },
    signal?: AbortSignal,
  ): Promise<void> {
    const read = old === 0 ? this.readCall(input) : undefined;
    const calls = all.slice(from);
    if (!read && calls.length === 0) return;
    const arrays = volumes.map((volume) => volume?.data as Float32Array | LabelArray | undefined);
    const own = this.links.find(({ step, module }) => step && !module)?.step;
    if (own) {
      applyCalls(
        calls,
        arrays,
        () => signal?.aborted ?? false,
        () => own,
      );
      return;
    }
    const wasThere = (slot: number): boolean => slot < old || (!read && slots[slot]!.isInput);
    const overwrites = calls.some(({ image, label }) => [image, label].some((pair) => pair && pair[0] === pair[1] && wasThere(pair[0])));
    const payload: RunStepsPayload = {
      calls,
      arrays,
      ...(read && { read }),
      ...(overwrites && { touched: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) }),
    };
    const bytes = slots.reduce((sum, { layout }) => sum + byteLength(layout), 0);
    await this.context.tasks.run("runSteps", payload, { bytes, ...(signal && { signal }) });
  }

  private finish(
    input: ChainInput,
    { history, layout }: ChainPlan,
    image: VoxelSource<"float32">,
    label: VoxelSource<"uint8" | "uint16"> | undefined,
  ): Sample {
    if (isOpenCase(input)) {
      const { item, voxels } = input;
      const { source } = voxels;
      return {
        id: item.id,
        epoch: item.epoch,
        image,
        ...(label && { label }),
        ...(source && { source }),
        history: [{ operator: "load", params: { ...this.load } }, ...history],
        ...(item.ref.extra && { extra: item.ref.extra }),
      };
    }
    const { image: _image, label: _label, margin, ...rest } = input;
    // `augment` is the only step that makes use of a margin, and it trims it.
    const isTrimmed = margin && history.some(({ params }) => (params as { readonly margin?: Json } | null)?.margin !== undefined);
    if (margin && !isTrimmed) requireMargin(layout, input);
    const entries: readonly HistoryEntry[] = [...input.history, ...history];
    return { ...rest, ...(margin && !isTrimmed && { margin }), image, ...(label && { label }), history: entries };
  }

  private readCall(input: ChainInput): ReadCall | undefined {
    if (!isOpenCase(input) || "custom" in input.voxels) return undefined;
    const { nonFinite, labels } = this.load!;
    return {
      header: input.voxels,
      image: 0,
      ...(input.voxels.label && { label: 1 }),
      nonFinite,
      ...(labels === "declared" && { classes: input.item.data.classes }),
    };
  }
}

function identityOf(input: ChainInput): DrawSubject["sample"] {
  return isOpenCase(input) ? { id: input.item.id, epoch: input.item.epoch } : input;
}

function startOf(input: ChainInput, imageIsOwn: boolean, labelIsOwn: boolean): ChainStart {
  return { layout: isOpenCase(input) ? input.layout : layoutOf(input), imageIsOwn, labelIsOwn };
}

function layoutOf({ image, label }: Sample): SampleLayout {
  return {
    image: { dtype: "float32", shape: image.shape, geometry: image.geometry },
    ...(label && { label: { dtype: label.dtype, shape: label.shape, geometry: label.geometry } }),
  };
}

/** The sample's own array behind an input slot; slot 0 is the image. */
function sourceOf(slot: Slot, input: Sample): VoxelSource {
  return slot.index === 0 ? input.image : input.label!;
}

function isAllocated(slot: Slot, input: ChainInput): boolean {
  if (!slot.isInput || isOpenCase(input)) return true;
  return slot.isUsed && !(sourceOf(slot, input) instanceof Volume);
}

const BYTES = { float32: 4, uint8: 1, uint16: 2 } as const;

function byteLength({ dtype, shape }: ArrayLayout): number {
  return shape[0] * shape[1] * shape[2] * shape[3] * BYTES[dtype];
}

function volumeFor(slot: Slot, input: ChainInput, pool: SlabPool): Volume | undefined {
  const { dtype, shape, geometry } = slot.layout;
  if (!isAllocated(slot, input)) {
    const source = sourceOf(slot, input as Sample);
    return source instanceof Volume ? source : undefined;
  }
  const volume = Volume.create(pool, dtype, shape, geometry);
  if (!slot.isInput || isOpenCase(input)) return volume;
  try {
    readWhole(sourceOf(slot, input), volume);
  } catch (error) {
    discard([volume], input, []);
    throw error;
  }
  return volume;
}

/** Volumes for the slots that a look at the voxels has made known, out of the memory that was kept for them. */
function fillFrom(reserve: ChainReserve, { slots }: ChainPlan, volumes: (Volume | undefined)[], pool: SlabPool, isLast: boolean): void {
  const added = slots.slice(volumes.length);
  const pieces = reserve.take(
    added.map(({ layout }) => byteLength(layout)),
    isLast,
  );
  if (!pieces) return;
  for (const [n, { index, layout }] of added.entries()) {
    const slab = pieces[n]!;
    const view = typedView(layout.dtype, slab.buffer, slab.byteOffset, elementCount(layout.shape));
    volumes[index] = new Volume(layout.dtype, layout.shape, layout.geometry, view, { pool, slab });
  }
}

/** A stored array that a step needs as a whole comes into memory here. */
function readWhole(source: VoxelSource, volume: Volume): void {
  const [depth, height, width] = source.shape;
  if (!source.readRegion) throw new VoxError("a voxel source must be a volume or have readRegion", { code: "ERR_SHAPE", where: "operators" });
  source.readRegion([0, 0, 0], [depth, height, width], volume.data);
}

function resultOf(slot: Slot, input: ChainInput, volumes: readonly (Volume | undefined)[]): VoxelSource {
  return volumes[slot.index] ?? sourceOf(slot, input as Sample);
}

/** Gives back what was allocated here and is not part of the result. */
function discard(volumes: readonly (Volume | undefined)[], input: ChainInput, kept: readonly (VoxelSource | undefined)[]): void {
  for (const volume of volumes) {
    const isGiven = !isOpenCase(input) && (volume === input.image || volume === input.label);
    if (volume && !isGiven && !kept.includes(volume)) volume.retain().release();
  }
}

function requireMargin({ image }: SampleLayout, { image: before, margin }: Sample): void {
  const isSame = image.shape.slice(0, 3).every((extent, axis) => extent === before.shape[axis]);
  if (isSame) return;
  throw new VoxError(
    `a patch with a margin (${describeMargin(margin!)}) must go to augment before its shape changes from ${formatShape(before.shape)} to ${formatShape(image.shape)}`,
    { code: "ERR_SHAPE", where: "patch" },
  );
}

/** The error with the sample's name, if it has none yet. */
export function withSample(error: unknown, sampleId: string): unknown {
  if (!isVoxError(error) || error.sampleId !== undefined) return error;
  const { code, where, message } = error;
  return new VoxError(message.startsWith(`${where}: `) ? message.slice(where.length + 2) : message, { code, where, sampleId, cause: error });
}
