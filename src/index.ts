export * from "./core/batch.js";
export * from "./core/block.js";
export * from "./core/case.js";
export type { Dtype, DtypeArrays } from "./core/dtype.js";
export { isVoxError, VoxError, type VoxErrorOptions } from "./core/errors.js";
export { type Affine, axisAligned, type Geometry, type SourceAxis, type SourceGrid, spacingOf } from "./core/geometry.js";
export type { Json } from "./core/json.js";
export { Random, type RandomKey } from "./core/random.js";
export { release, retain } from "./core/retain.js";
export type { RunContext, TaskRunner } from "./core/run-context.js";
export type { GpuReport, RunCommand, RunEvent, StageReport } from "./core/run-events.js";
export type { HistoryEntry, Margin, Sample } from "./core/sample.js";
export { elementCount, type Shape4, type Shape5, type Triple } from "./core/shape.js";
export { type Slab, SlabPool, type SlabPoolOptions } from "./core/slab-pool.js";
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
export { type Dashboard, type DashboardCase, dashboardThread, type StartDashboardOptions, startDashboard } from "./server/index.js";
export {
  type Autotune,
  type AutotuneOptions,
  autotune,
  type BatchOfOptions,
  batchOf,
  broadcast,
  deal,
  type FanOutOptions,
  fanOut,
  type Graph,
  type GraphNode,
  type Item,
  type ItemIdentity,
  type IterateOptions,
  iterate,
  type ListedOptions,
  type Logic,
  listed,
  type MapAsyncOptions,
  type MixOptions,
  type MixPart,
  mapAsync,
  mix,
  type NodeOptions,
  node,
  type Position,
  type Run,
  type RunOptions,
  run,
  type SkipRecord,
  type SourceOptions,
  type SplitOptions,
  type StageNode,
  type StageOptions,
  skipWhen,
  source,
  stage,
  to,
  type VerdictOptions,
  type ViaOptions,
  verdict,
  via,
  type WorkContext,
  zipStages,
} from "./streams/index.js";
export * from "./training/index.js";
export { createTaskPool, type TaskPool, type TaskPoolOptions } from "./workers/index.js";
