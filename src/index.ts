export * from "./core/batch.js";
export * from "./core/block.js";
export * from "./core/case.js";
export type { Dtype, DtypeArrays } from "./core/dtype.js";
export { isVoxError, VoxError } from "./core/errors.js";
export { type Affine, axisAligned, type Geometry, type SourceGrid, spacingOf } from "./core/geometry.js";
export { Random } from "./core/random.js";
export { release, retain } from "./core/retain.js";
export type { RunContext, TaskRunner } from "./core/run-context.js";
export type { RunEvent, StageReport } from "./core/run-events.js";
export type { HistoryEntry, Margin, Sample } from "./core/sample.js";
export { elementCount, type Shape4, type Shape5, type Triple } from "./core/shape.js";
export { SlabPool } from "./core/slab-pool.js";
export { Volume } from "./core/volume.js";
export type { VoxelSource } from "./core/voxel-source.js";
export * from "./engine/index.js";
export * from "./evaluation/index.js";
export * from "./graphs/index.js";
export * from "./inference/index.js";
export * from "./io/index.js";
export * from "./losses/index.js";
export * from "./metrics/index.js";
export * from "./models/index.js";
export * from "./operators/index.js";
// The operator; the engine has a function on tensors of that name.
export { normalize } from "./operators/intensity/normalize.js";
export { dashboardThread, startDashboard } from "./server/index.js";
export {
  autotune,
  batchOf,
  broadcast,
  deal,
  fanOut,
  type Item,
  iterate,
  type Logic,
  listed,
  mapAsync,
  mix,
  node,
  type Position,
  type Run,
  run,
  skipWhen,
  source,
  stage,
  to,
  verdict,
  via,
  type WorkContext,
  zipStages,
} from "./streams/index.js";
export * from "./training/index.js";
export { createTaskPool } from "./workers/index.js";
