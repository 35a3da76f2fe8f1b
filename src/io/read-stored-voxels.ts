import { VoxError } from "../core/errors.js";
import { decodeVoxels } from "../kernels/decode/decode-voxels.js";
import { type DecodePlan, DecodeReport, type DecodeTarget, STORED_BYTES } from "../kernels/decode/reference.js";
import { eachStoredPiece } from "./each-stored-piece.js";
import type { VolumeHeader } from "./volume-format.js";

/** Pieces fit the second-level cache, so decompressed bytes are decoded while they are still there. */
const PIECE_BYTES = 256 * 1024;
/** Where rows of the file run across rows of the target, a piece holds enough slices to fill cache lines of the target, up to this size. */
const MAX_PIECE_BYTES = 16 * 1024 ** 2;
const SLICES_PER_PIECE = 16;

/** Decodes the voxels of a file that holds them one after the other, plain or compressed, in one pass and a piece at a time. */
export function readStoredVoxels(
  { path, storedBytes, encoding }: VolumeHeader,
  target: DecodeTarget,
  plan: DecodePlan,
  isStopped?: () => boolean,
): DecodeReport {
  const report = new DecodeReport();
  const size = STORED_BYTES[plan.dtype];
  const { compressed, voxelOffset: offset, dataPath = path, stream, channelAxis = 3 } = encoding;
  const stored = inStoredOrder(plan, channelAxis);
  let voxel = 0;
  eachStoredPiece(dataPath, { compressed, offset, length: storedBytes, pieceBytes: pieceBytes(stored), ...(stream && { stream }) }, (piece) => {
    decodeVoxels(stored, piece, voxel, target, report);
    voxel += piece.length / size;
    if (isStopped?.()) throw new VoxError("the reading was stopped", { code: "ERR_STOPPED", where: path });
  });
  report.reindex((index) => planIndex(index, plan.shape, channelAxis));
  return report;
}

/** The plan for voxels whose channels are another than the slowest axis. */
export function inStoredOrder(plan: DecodePlan, channelAxis: 0 | 1 | 2 | 3): DecodePlan {
  if (channelAxis === 3) return plan;
  const order = [0, 1, 2];
  order.splice(channelAxis, 0, 3);
  // Four axes in another order.
  const along = <T extends readonly [number, number, number, number]>(values: T): T => order.map((axis) => values[axis]!) as unknown as T;
  return { ...plan, shape: along(plan.shape), strides: along(plan.strides) };
}

/** The index (i fastest, then j, k, channel) of the stored voxel with this number. */
export function planIndex(index: number, [ni, nj, nk, nc]: DecodePlan["shape"], channelAxis: 0 | 1 | 2 | 3): number {
  if (channelAxis === 3) return index;
  const below = [1, ni, ni * nj][channelAxis]!;
  const c = Math.floor(index / below) % nc;
  return (index % below) + below * Math.floor(index / (below * nc)) + c * ni * nj * nk;
}

function pieceBytes({ dtype, shape, strides }: DecodePlan): number {
  const [si, sj, sk] = strides.map(Math.abs) as [number, number, number];
  if (si <= sj && si <= sk) return PIECE_BYTES;
  const slice = STORED_BYTES[dtype] * shape[0] * shape[1];
  const slices = sj <= sk ? PIECE_BYTES / slice : Math.max(PIECE_BYTES / slice, Math.min(SLICES_PER_PIECE, MAX_PIECE_BYTES / slice));
  return slice * Math.max(1, Math.floor(slices));
}
