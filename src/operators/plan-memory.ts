import { stat } from "node:fs/promises";
import { formatBytes } from "../core/bytes.js";
import type { CaseRef, DataSet } from "../core/case.js";
import { VoxError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { RunContext } from "../core/run-context.js";
import type { Margin } from "../core/sample.js";
import type { Triple } from "../core/shape.js";
import { filesOfVolume } from "../io/files-of-volume.js";
import { findStep } from "../workers/steps/find-step.js";
import type { SampleLayout, Step } from "../workers/steps/step.js";
import type { AugmentPlan } from "./augment/augment-plan.js";
import { augmentReach } from "./augment/augment-reach.js";
import { planChain } from "./chain-plan.js";
import { KEPT_FREE } from "./chain-run.js";
import { openCase } from "./load/open-case.js";
import { canStayOnDisk } from "./load/slab-sample.js";
import type { OperatorDescription, OperatorLink } from "./operator-link.js";
import { KEPT_FOR_BATCHES } from "./patch/patch.js";
import { NO_MARGIN } from "./patch/patch-reach.js";
import {
  augmentWork,
  caseWork,
  indexWork,
  mostBytes,
  type ProcessMemory,
  type ProcessShare,
  patchWork,
  processMemory,
  type WorkMemory,
  withVoxels,
} from "./process-memory.js";

export interface PlanMemoryOptions {
  /** What `recordOperators` has seen of a graph, in order. */
  readonly operators: readonly OperatorDescription[];
  readonly data: DataSet;
  /** The cases of the run. */
  readonly refs: readonly CaseRef[];
  readonly mode: RunContext["mode"];
  /** Bytes of the run's pool; with `process`, of the whole process, which stays within a tenth more. */
  readonly budget: number;
  /** Batches that the consumer holds. Default 2. */
  readonly slots?: number;
  /** Counts what the process takes beside voxels: the pool gets the rest. */
  readonly process?: ProcessShare;
}

/** What one stage holds. */
export interface StageMemory {
  readonly stage: "load" | "patch" | "shuffle" | "batch" | "prefetch" | "trainer";
  /** Bytes of one item. */
  readonly each: number;
  /** Items at most; the budget may allow fewer at once. */
  readonly most: number;
}

export interface MemoryPlan {
  readonly budget: number;
  /** Bytes for the pool: `new SlabPool({ budget: plan.voxels })`. Without `process`, all of the budget. */
  readonly voxels: number;
  /** What the process takes beside them, as far as it was counted. */
  readonly process?: ProcessMemory;
  /** Bytes that cases leave free for what comes after them, and that patches leave free for batches. */
  readonly keptFree: { readonly fromCases: number; readonly fromPatches: number };
  readonly stages: readonly StageMemory[];
  /** The case that takes most while it is loaded; absent when no header could be read, as with custom readers. */
  readonly largestCase?: { readonly id: string; readonly bytes: number };
  /** The smallest budget with which the graph can go on. */
  readonly least: number;
  /** One line for people. */
  readonly text: string;
}

type PatchDescription = Extract<OperatorDescription, { readonly patch: unknown }>;

/** Headers that are read at most: those of the largest files. */
const MOST_HEADERS = 256;
const PAGES = 2 * 4096;
/** Pieces of different sizes leave gaps between them. */
const GAPS = 1.15;

/**
 * How the memory budget is shared by the stages of a graph, from the headers of its cases: cases fill at most 75 % of it, patches 90 %. What one stage leaves
 * free, another may use, so these are limits and not fixed shares. With `process`, the budget holds worker threads and the work memory of kernels, too.
 *
 * @throws `ERR_OPTION`; `ERR_MEMORY` with the numbers when one case, one patch, a shuffle window, or one batch cannot fit
 * @example
 * const operators = recordOperators(() => graph(input));
 * const plan = await planMemory({ operators, data, refs: await data.list(), mode: "training", budget: 4e9, process: { threads: 4 } });
 * const pool = new SlabPool({ budget: plan.voxels });
 */
export async function planMemory(options: PlanMemoryOptions): Promise<MemoryPlan> {
  requireKnownOptions("planMemory", options, ["operators", "data", "refs", "mode", "budget", "slots", "process"]);
  const { budget, mode, process } = options;
  const beside = process && (await besideVoxels({ ...options, process }));
  const voxels = beside ? mostBytes(budget, beside) : budget;
  const { stages, hardest, largest, mayStay } = await layOut(options, voxels);
  // A whole process that was promised to fit must not fail on gaps between the pieces of its pool.
  const needed = beside ? Math.ceil(GAPS * hardest.bytes) : hardest.bytes;
  const least = beside ? withVoxels(needed, beside) : needed;
  if (needed > voxels) {
    const isCase = hardest.what.startsWith("case ");
    const advice = isCase && mayStay ? "; of cases that are stored as .nii, not .nii.gz, patch reads only what it needs" : "";
    const [others, knobs] = beside ? [` and ${beside.text}: at least ${formatBytes(least)}`, "workers, "] : ["", ""];
    throw new VoxError(
      `the memory budget must hold ${hardest.what}, which takes ${formatBytes(needed)}${others}, got ${formatBytes(budget)}: raise memory, or lower ${knobs}patch size, shuffle window or batch size${advice}`,
      { code: "ERR_MEMORY", where: mode },
    );
  }
  const shares = stages.map(({ stage, each, most }) =>
    stage === "load" ? `${formatBytes(each)} a case while it is loaded` : `${stage} ${most} x ${formatBytes(each)}`,
  );
  const of = beside ? `, of it ${beside.text}, ${formatBytes(voxels)} for voxels` : "";
  return {
    budget,
    voxels,
    ...(beside && { process: beside }),
    keptFree: { fromCases: KEPT_FREE * voxels, fromPatches: KEPT_FOR_BATCHES * voxels },
    stages,
    ...(largest && { largestCase: { id: largest.id, bytes: largest.bytes } }),
    least,
    text: `${formatBytes(budget)} for ${mode}${of}: ${shares.join(", ") || "cases of unknown size"}; at least ${formatBytes(least)} are needed`,
  };
}

/** What a process that runs the graph takes beside voxels, whatever its budget. */
export async function besideVoxels(options: Omit<PlanMemoryOptions, "budget"> & { readonly process: ProcessShare }): Promise<ProcessMemory> {
  const { work } = await layOut({ ...options, budget: Number.POSITIVE_INFINITY }, Number.POSITIVE_INFINITY);
  return processMemory(options.process, work);
}

interface Layout {
  readonly stages: readonly StageMemory[];
  /** What takes most of all that must be there at once. */
  readonly hardest: { readonly what: string; readonly bytes: number };
  readonly largest: LargestCase | undefined;
  /** Whether a case that is too large may stay on disk. */
  readonly mayStay: boolean;
  readonly work: WorkMemory;
}

/** What the stages hold in a pool of so many bytes. */
async function layOut({ operators, data, refs, mode, slots = 2 }: PlanMemoryOptions, budget: number): Promise<Layout> {
  const load = operators.find((operator) => "load" in operator || "cached" in operator);
  const patchAt = operators.findIndex((operator) => "patch" in operator);
  const front = patchAt < 0 ? operators : operators.slice(0, patchAt);
  const links = front.flatMap((operator) => ("cached" in operator ? operator.cached.links : "link" in operator ? [operator.link] : []));
  // Of a case between `load` and `patch` only crops are read, if its files allow it and it is too large for more.
  const mayStay = patchAt >= 0 && links.length === 0 && load !== undefined && "load" in load;
  const largest =
    load && !data.read ? await largestCase(refs, data, mode, links, mayStay ? (1 - KEPT_FREE) * budget : Number.POSITIVE_INFINITY) : undefined;

  const stages: StageMemory[] = [];
  const needs: { readonly what: string; readonly bytes: number }[] = [];
  const need = (what: string, bytes: number, share: number): void => void needs.push({ what, bytes: Math.ceil(bytes / share) });
  const caseBytes = largest?.bytes ?? 0;
  const isMapped = operators.some((operator) => "cached" in operator || "prepared" in operator);
  const work = { thread: 0, graph: 0, isMapped };
  if (largest) work.thread = caseWork(largest.layout, links);
  if (largest?.layout.label && load && ("cached" in load || operators.some((one) => "patch" in one && one.patch.lesions)))
    work.graph = indexWork(largest.layout, "cached" in load);
  if (largest && caseBytes > 0) {
    stages.push({ stage: "load", each: caseBytes, most: Math.max(1, Math.floor((budget * (1 - KEPT_FREE)) / caseBytes)) });
    need(`case ${largest.id} (${formatBytes(caseBytes)}) beside the ${100 * KEPT_FREE} % that cases leave free`, caseBytes, 1 - KEPT_FREE);
  }
  let layout = largest?.layout;
  let batchBytes = 0;
  /** Augmented copies of each patch. */
  let copies = 1;
  for (const operator of operators.slice(Math.max(0, patchAt))) {
    if ("patch" in operator) {
      const whole = layout ?? layoutOf(data, mode);
      const margin = mode === "training" ? marginOf(operator, operators, whole) : NO_MARGIN;
      const isWide = !operator.patch.margin && margin !== NO_MARGIN;
      const cut = patchLayout(whole, operator.patch.size, margin);
      layout = cut;
      const each = bytesOf(cut);
      work.graph = Math.max(work.graph, patchWork(cut));
      stages.push({ stage: "patch", each, most: 1 });
      const next = operators[operators.indexOf(operator) + 1];
      if (mode === "training" && next && "link" in next && next.link.name === "augment") {
        const plan = next.link.params as unknown as AugmentPlan;
        work.thread = Math.max(work.thread, augmentWork(plan, layout, patchLayout(whole, operator.patch.size, NO_MARGIN)));
      }
      const free = `beside the ${100 * KEPT_FOR_BATCHES} % that patches leave free`;
      need(`a patch of ${formatBytes(each)} ${free}`, each, 1 - KEPT_FOR_BATCHES);
      // What augment sees around a patch may be almost a whole case, and the case itself is there too unless it lies in the cache.
      if (isWide && largest && caseBytes > 0 && !("cached" in load!)) {
        const both = each + bytesOf(whole);
        need(`a patch with what augment sees around it and its case (${formatBytes(both)}) ${free}`, both, 1 - KEPT_FOR_BATCHES);
      }
    } else if ("link" in operator && layout && patchAt >= 0) {
      const { size } = (operators[patchAt] as PatchDescription).patch;
      if (operator.link.name === "augment" && mode === "training") copies *= (operator.link.params as unknown as AugmentPlan).cycles;
      layout = operator.link.draw ? patchLayout(layout, size, NO_MARGIN) : after(layout, [operator.link]).layout;
    } else if ("shuffle" in operator && layout && batchBytes === 0) {
      const { perCase } = patchAt < 0 ? {} : (operators[patchAt] as PatchDescription).patch;
      // A window ends with its epoch.
      const window = Math.min(operator.shuffle.window, perCase === undefined ? Number.POSITIVE_INFINITY : refs.length * perCase * copies);
      const each = bytesOf(layout);
      stages.push({ stage: "shuffle", each, most: 2 * window });
      // The last item of a window comes out of a case that must be loaded beside the others; outside training nothing is shuffled, but held all the same.
      if (perCase !== undefined)
        need(`a shuffle window of ${window} patches of ${formatBytes(each)} and a case`, (window - 1) * each + caseBytes, 1 - KEPT_FREE);
    } else if ("batch" in operator && layout) {
      const { size } = operator.batch;
      const each = bytesOf(layout);
      batchBytes = size * each + PAGES;
      stages.push({ stage: "batch", each: batchBytes, most: 1 });
      need(`a batch of ${size} (${formatBytes(batchBytes)}) and the samples that it is made of`, size * each + batchBytes, 1);
    } else if ("prefetch" in operator && batchBytes > 0) {
      stages.push({ stage: "prefetch", each: batchBytes, most: operator.prefetch.capacity });
    }
  }
  if (batchBytes > 0) stages.push({ stage: "trainer", each: batchBytes, most: slots });

  const hardest = needs.reduce((a, b) => (b.bytes > a.bytes ? b : a), { what: "", bytes: 1 });
  return { stages, hardest, largest, mayStay, work };
}

interface LargestCase {
  readonly id: string;
  /** 0 when the case stays on disk. */
  readonly bytes: number;
  readonly layout: SampleLayout;
}

async function largestCase(
  refs: readonly CaseRef[],
  data: DataSet,
  mode: RunContext["mode"],
  links: readonly OperatorLink[],
  most: number,
): Promise<LargestCase | undefined> {
  let largest: LargestCase | undefined;
  for (const ref of await largestFiles(refs)) {
    try {
      const open = await openCase({ id: ref.id, epoch: 0, ref, data }, mode);
      const { bytes, layout } = after(open.layout, links);
      const held = bytes > most && canStayOnDisk(open) ? 0 : bytes;
      if (held > (largest?.bytes ?? -1)) largest = { id: ref.id, bytes: held, layout };
    } catch {
      // A case that cannot be opened is the run's to report, in its turn and as its onError says.
    }
  }
  return largest;
}

async function largestFiles(refs: readonly CaseRef[]): Promise<readonly CaseRef[]> {
  if (refs.length <= MOST_HEADERS) return refs;
  const sized = await Promise.all(
    refs.map(async (ref) => ({
      ref,
      size: await fileBytes(ref.images[0] ?? ""),
    })),
  );
  sized.sort((a, b) => b.size - a.size);
  return sized.slice(0, MOST_HEADERS).map(({ ref }) => ref);
}

async function fileBytes(path: string): Promise<number> {
  const sizes = (await filesOfVolume(path)).map((file) =>
    stat(file).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Bytes of a chain of deterministic steps on arrays of `layout`, as a stage asks for them, and the layout behind it. */
function after(layout: SampleLayout, links: readonly OperatorLink[]): { readonly bytes: number; readonly layout: SampleLayout } {
  const steps = links
    .filter(({ draw }) => !draw)
    .map(({ name, params, step }) => () => ({ name, params, step: (step ?? findStep(name)!) as Step<Json> }));
  const plan = planChain({ layout, imageIsOwn: false, labelIsOwn: false }, steps);
  return { bytes: plan.slots.reduce((sum, slot) => sum + arrayBytes(slot.layout), 0), layout: plan.layout };
}

/** What is known without a header. */
function layoutOf({ channels, classes }: DataSet, mode: RunContext["mode"]): SampleLayout {
  const geometry = { spacing: [1, 1, 1] as const, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] as const };
  return {
    image: { dtype: "float32", shape: [1, 1, 1, channels], geometry },
    ...(mode !== "prediction" && { label: { dtype: classes.length > 256 ? "uint16" : "uint8", shape: [1, 1, 1, 1], geometry } }),
  };
}

/** The widest margin of any patch: as given, or as the `augment` right behind may ask for, and no wider than the largest case. */
function marginOf(operator: PatchDescription, operators: readonly OperatorDescription[], { image }: SampleLayout): Margin {
  const { size, margin } = operator.patch;
  if (margin) return [margin, margin];
  const next = operators[operators.indexOf(operator) + 1];
  if (!next || !("link" in next) || next.link.name !== "augment") return NO_MARGIN;
  const [before, after] = augmentReach(next.link.params as unknown as AugmentPlan).most({ image: { ...image, shape: [...size, image.shape[3]] } });
  const inside = (axis: 0 | 1 | 2) => Math.min(before[axis] + after[axis], Math.max(0, image.shape[axis] - size[axis]));
  return [[inside(0), inside(1), inside(2)], NO_MARGIN[1]];
}

function patchLayout({ image, label }: SampleLayout, size: Triple, [before, after]: Margin): SampleLayout {
  const [d, h, w] = [size[0] + before[0] + after[0], size[1] + before[1] + after[1], size[2] + before[2] + after[2]];
  return {
    image: { ...image, shape: [d, h, w, image.shape[3]] },
    ...(label && { label: { ...label, shape: [d, h, w, label.shape[3]] } }),
  };
}

const BYTES = { float32: 4, uint8: 1, uint16: 2 } as const;

function arrayBytes({ dtype, shape }: SampleLayout["image"] | NonNullable<SampleLayout["label"]>): number {
  return shape[0] * shape[1] * shape[2] * shape[3] * BYTES[dtype];
}

function bytesOf({ image, label }: SampleLayout): number {
  return arrayBytes(image) + (label ? arrayBytes(label) : 0);
}
