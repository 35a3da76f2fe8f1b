import { mappedBytesOf, poolBytesWithin } from "../cache/mapped-pages.js";
import { formatBytes } from "../core/bytes.js";
import { DTYPE_BYTES } from "../core/dtype.js";
import { elementCount } from "../core/shape.js";
import { native } from "../kernels/native.js";
import type { SampleLayout } from "../workers/steps/step.js";
import type { AugmentPlan } from "./augment/augment-plan.js";
import type { OperatorLink } from "./operator-link.js";

const MB = 1024 ** 2;

/**
 * A worker thread that has run tasks: V8 and Node 10 MB, the modules of its tasks 3, its young heap up to 6, pieces of files 1. Measured with Node 20 on Linux.
 */
const THREAD_BYTES = 20 * MB;
/** Node with this library, its streams and what they leave to the garbage collector, for a program without a network. */
const SCRIPT_BYTES = 112 * MB;
/** What a cache keeps beside the case that it writes: LMDB's pages of one transaction and their copies. */
const CACHE_BYTES = 16 * MB;
/** Resident memory may be so much more than the budget. */
const TOLERANCE = 1.1;

/** Who shares the memory of a process with the voxels. */
export interface ProcessShare {
  /** Worker threads; 0 when tasks run on the calling thread. */
  readonly threads: number;
  /** Bytes that the process takes anyway. Default 112 MB, a program that runs a graph; 0 counts only what the graph adds. */
  readonly base?: number;
}

/** Memory of kernels beside the voxels that they read and write. */
export interface WorkMemory {
  /** Of each thread that works. */
  thread: number;
  /** Of the thread of the graph. */
  graph: number;
  /** Whether pages of a cache's map are resident, too. */
  isMapped: boolean;
}

/** What a process takes beside voxels. */
export interface ProcessMemory {
  readonly base: number;
  readonly threads: number;
  /** One thread with the work memory of its kernels. */
  readonly each: number;
  readonly bytes: number;
  /** Whether pages of a cache's map come on top: they go with the voxels. */
  readonly isMapped: boolean;
  /** For people. */
  readonly text: string;
}

export function processMemory({ threads, base = SCRIPT_BYTES }: ProcessShare, work: WorkMemory): ProcessMemory {
  const inline = work.graph + (threads === 0 ? work.thread : 0);
  const each = THREAD_BYTES + work.thread;
  const bytes = base + inline + threads * each;
  const parts = [
    ...(base + inline > 0 ? [`${formatBytes(base + inline)} for the process`] : []),
    ...(threads > 0 ? [`${formatBytes(threads * each)} for ${threads} worker ${threads === 1 ? "thread" : "threads"}`] : []),
  ];
  if (work.isMapped) parts.push(`a seventeenth of the rest, at least ${formatBytes(mappedBytesOf(0))}, for pages of the cache`);
  return { base, threads, each, bytes, isMapped: work.isMapped, text: parts.join(" and ") || "nothing beside voxels" };
}

/** Bytes that voxels may take, so that the process stays within the budget and a tenth. */
export function mostBytes(budget: number, { bytes, isMapped }: Pick<ProcessMemory, "bytes" | "isMapped">): number {
  const rest = TOLERANCE * budget - bytes;
  return Math.max(0, Math.floor(Math.min(budget, isMapped ? poolBytesWithin(rest) : rest)));
}

/** The smallest budget that leaves so many bytes for voxels, up to rounding. */
export function withVoxels(voxels: number, { bytes, isMapped }: Pick<ProcessMemory, "bytes" | "isMapped">): number {
  return Math.ceil(Math.max(voxels, (voxels + (isMapped ? mappedBytesOf(voxels) + 1 : 0) + bytes) / TOLERANCE));
}

/** `augment` on one thread: spline coefficients of what it sees and half as much while they are made; copies of the patch for filters, which the thread keeps. */
export function augmentWork(plan: AugmentPlan, seen: SampleLayout, patch: SampleLayout): number {
  const moves = plan.rotation || plan.scaling || plan.translation || plan.elastic;
  const filters = plan.intensity.some(({ technique }) => technique === "blur" || technique === "lowResolution");
  return (moves && plan.order === 3 ? 1.5 * imageBytes(seen) : 0) + (filters ? 2 : 1) * imageBytes(patch);
}

/**
 * The steps of whole cases on one thread. `normalize` on foreground keeps a mask of it, and one for each element where all channels are taken together;
 * percentiles count the voxels where they lie, of one of several channels and of foreground in a copy; without the addon they sort a copy.
 */
export function caseWork(layout: SampleLayout, links: readonly OperatorLink[]): number {
  const channels = layout.image.shape[3];
  const voxels = imageBytes(layout) / Float32Array.BYTES_PER_ELEMENT / channels;
  const needs = links.map(({ name, params }) => {
    if (name !== "normalize") return 0;
    const { mode, foreground, perChannel } = params as { readonly mode: string; readonly foreground?: unknown; readonly perChannel?: boolean };
    const groups = perChannel === false ? 1 : channels;
    const mask = foreground === undefined ? 0 : voxels + (groups < channels ? voxels * channels : 0);
    const isCounted = mode !== "percentile" || (native() !== undefined && groups === 1 && foreground === undefined);
    return mask + (isCounted ? 0 : imageBytes(layout) / groups);
  });
  return Math.max(0, ...needs);
}

/**
 * What cuts patches, beside them: their labels alone where it is asked what is in them, and the inner part of a patch that reaches beyond its case. Little of it
 * is lost in what the process takes anyway.
 */
export function patchWork(patch: SampleLayout): number {
  const bytes = imageBytes(patch) + 2 * labelBytes(patch);
  return bytes < MB ? 0 : bytes;
}

/** Finding the lesions of a case: a mask and component numbers; and the cache's own. */
export function indexWork({ label }: SampleLayout, isCached: boolean): number {
  // The arrays of one case may still be there when those of the next one are made.
  return 2 * 5 * (label ? elementCount(label.shape) : 0) + (isCached ? CACHE_BYTES : 0);
}

function labelBytes({ label }: SampleLayout): number {
  return label ? DTYPE_BYTES[label.dtype] * elementCount(label.shape) : 0;
}

function imageBytes({ image }: SampleLayout): number {
  return Float32Array.BYTES_PER_ELEMENT * elementCount(image.shape);
}
