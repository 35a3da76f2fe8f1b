import { setTimeout as delay } from "node:timers/promises";
import type { Observable, OperatorFunction } from "rxjs";
import { describe, expect, it } from "vitest";
import { isVoxError, VoxError } from "../../src/core/errors.js";
import { axisAligned } from "../../src/core/geometry.js";
import { Random } from "../../src/core/random.js";
import type { RunContext, TaskRunner } from "../../src/core/run-context.js";
import type { Sample } from "../../src/core/sample.js";
import type { Shape4 } from "../../src/core/shape.js";
import type { SlabPool } from "../../src/core/slab-pool.js";
import { Volume } from "../../src/core/volume.js";
import type { VoxelSource } from "../../src/core/voxel-source.js";
import { replay } from "../../src/operators/index.js";
import { mapAsync, run, source, to } from "../../src/streams/index.js";
import { inlineTaskPool } from "../../src/workers/inline-task-pool.js";
import { contextOf } from "../operators/run-graph.js";

export interface OperatorContract<B> {
  readonly name: string;
  readonly make: () => OperatorFunction<Sample, B>;
  /** Calls with options outside their rules; each must throw `ERR_OPTION` when built. */
  readonly wrongOptions: readonly (() => unknown)[];
  readonly shape?: Shape4;
  /** How many values `n` samples become. */
  readonly count: (n: number) => number;
  /** Shape of image and label of each value for the input shape. */
  readonly shapes: (shape: Shape4) => { readonly image: readonly number[]; readonly label: readonly number[] };
  /** Whether the operator never looks at voxels, so that nothing in them can make it fail. */
  readonly isBlind?: boolean;
  /** Whether its values are samples whose history runs again. */
  readonly replays?: boolean;
}

interface Seen {
  readonly id: string;
  readonly image: Float32Array;
  readonly label: Uint8Array | Uint16Array;
  readonly imageShape: readonly number[];
  readonly labelShape: readonly number[];
  readonly dtypes: readonly [string, string];
  readonly history: Sample["history"];
}

const SHAPE: Shape4 = [6, 10, 8, 2];

/** A sample in pooled memory: noise, and a block of labels 1 and 2. */
export function pooledSample(pool: SlabPool, index: number, shape: Shape4 = SHAPE): Sample {
  const random = new Random("contract", index);
  const geometry = axisAligned([2, 1, 1]);
  const [depth, height, width] = shape;
  const image = Volume.create(pool, "float32", shape, geometry);
  const label = Volume.create(pool, "uint8", [depth, height, width, 1], geometry);
  image.data.forEach((_, i) => {
    image.data[i] = random.normal() * 40 + (i % 7);
  });
  label.data.fill(0);
  for (let v = 0; v < label.data.length; v++) if (v % width > 1 && v % width < 6) label.data[v] = v % 2 ? 1 : 2;
  return { id: `case_${index}`, epoch: 0, image, label, history: [{ operator: "load", params: {} }] };
}

function look(value: unknown): Seen {
  const { id, image, label, history } = value as Sample;
  const data = (volume: VoxelSource) => (volume as Volume).data.slice();
  return {
    id: id ?? "batch",
    image: data(image) as Float32Array,
    label: data(label!) as Uint8Array,
    imageShape: image.shape,
    labelShape: label!.shape,
    dtypes: [image.dtype, label!.dtype],
    history: history ?? [],
  };
}

function samples(context: RunContext, n: number, shape?: Shape4): Observable<Sample> {
  return source("samples", n, (index) => pooledSample(context.pool, index, shape));
}

async function collectFrom<A, B>(flow: Observable<A>, operator: OperatorFunction<A, B>, context: RunContext): Promise<Seen[]> {
  const seen: Seen[] = [];
  await run(
    "contract",
    [
      flow.pipe(
        operator,
        to((value) => void seen.push(look(value))),
      ),
    ],
    { context },
  ).done;
  return seen;
}

/** Runs four tasks at once and lets later ones finish first. */
function shuffledTasks(): TaskRunner {
  const inner = inlineTaskPool();
  let count = 0;
  return {
    concurrency: 4,
    async run(task, payload, options) {
      const wait = 12 - 3 * (count++ % 4);
      const result = await inner.run(task, payload, options);
      await delay(wait);
      return result;
    },
  };
}

/** The suite that every operator on samples passes. */
export function operatorContract<B>(contract: OperatorContract<B>): void {
  const { name, make, wrongOptions, shape = SHAPE, count, shapes } = contract;

  describe(`${name} keeps the operator contract`, () => {
    it("a flow that never emits can be stopped", async () => {
      const context = contextOf();
      // Waits outside the graph for ever; a flow that could not emit any more at all would be reported as stuck.
      const never = source("never", 1, () => 0).pipe(
        mapAsync((_, { signal }) => new Promise<Sample>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))), {
          name: "waits",
        }),
      );
      const job = run(
        "contract",
        [
          never.pipe(
            make(),
            to(() => undefined),
          ),
        ],
        { context },
      );
      await delay(2);
      await job.stop();
      expect(await job.done).toBe("stopped");
      expect(context.pool.bytesInUse).toBe(0);
    });

    it("an empty flow stays empty and completes", async () => {
      const context = contextOf();
      expect(await collectFrom(samples(context, 0, shape), make(), context)).toEqual([]);
    });

    it.each([1, 2, 5])("%i samples become as many values as declared, of the declared shape and type, and all memory comes back", async (n) => {
      const context = contextOf();
      const seen = await collectFrom(samples(context, n, shape), make(), context);
      expect(seen).toHaveLength(count(n));
      const expected = shapes(shape);
      for (const value of seen) {
        const [own, ownLabel] = value.id === "batch" ? [value.imageShape.slice(1), value.labelShape.slice(1)] : [value.imageShape, value.labelShape];
        expect(own).toEqual(expected.image);
        expect(ownLabel).toEqual(expected.label);
        expect(value.image).toHaveLength(value.imageShape.reduce((a, b) => a * b, 1));
        expect(value.label).toHaveLength(value.labelShape.reduce((a, b) => a * b, 1));
        expect(value.image.every(Number.isFinite)).toBe(true);
        expect(value.image.constructor.name).toBe("Float32Array");
        expect(value.dtypes).toEqual(["float32", value.label.constructor.name.replace("Array", "").toLowerCase()]);
      }
      expect(context.pool.bytesInUse).toBe(0);
    });

    it("an error from in front passes unchanged", async () => {
      const context = contextOf();
      const fault = new VoxError("the file must be whole, got half of it", { code: "ERR_TRUNCATED", where: "a.nii", sampleId: "case_1" });
      const flow = source("samples", 3, (index) => {
        if (index === 1) throw fault;
        return pooledSample(context.pool, index, shape);
      });
      const error = await collectFrom(flow, make(), context).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "ERR_TRUNCATED", message: fault.message, sampleId: "case_1" });
      expect(context.pool.bytesInUse).toBe(0);
    });

    it("a stop ends the work and returns the memory", async () => {
      const context = contextOf({ tasks: shuffledTasks() });
      let release: (() => void) | undefined;
      const first = new Promise<void>((resolve) => {
        release = resolve;
      });
      const job = run(
        "contract",
        [
          samples(context, 50, shape).pipe(
            make(),
            to(async () => {
              release?.();
              await delay(2);
            }),
          ),
        ],
        { context },
      );
      await first;
      await job.stop();
      expect(await job.done).toBe("stopped");
      expect(context.pool.bytesInUse).toBe(0);
    });

    it("options outside their rules throw when the operator is built", () => {
      for (const build of wrongOptions) {
        const error = catchError(build);
        expect(isVoxError(error) && error.code, String(build)).toBe("ERR_OPTION");
        expect((error as Error).message).toMatch(/must be .*, got /);
      }
    });

    if (!contract.isBlind) {
      it("a fault of one sample carries the sample's name, and its memory comes back", async () => {
        const context = contextOf();
        const flow = source("samples", 3, (index) => {
          const sample = pooledSample(context.pool, index, shape);
          return index === 1 ? brokenCopy(sample) : sample;
        });
        const error = await collectFrom(flow, make(), context).catch((caught: unknown) => caught);
        expect(isVoxError(error)).toBe(true);
        expect((error as VoxError).sampleId).toMatch(/^case_1/);
        expect((error as VoxError).message).toContain("cannot be read");
        expect(context.pool.bytesInUse).toBe(0);
      });
    }

    it("a sample that somebody else holds is not written", async () => {
      const context = contextOf();
      const held = [0, 1, 2].map((index) => pooledSample(context.pool, index, shape));
      for (const { image, label } of held) {
        image.retain();
        label!.retain();
      }
      const before = held.map(look);
      await collectFrom(
        source("samples", 3, (index) => held[index]!),
        make(),
        context,
      );
      expect(held.map(look)).toEqual(before);
      for (const { image, label } of held) {
        image.release();
        label!.release();
      }
      expect(context.pool.bytesInUse).toBe(0);
    });

    it("the result is the same in whatever order tasks finish", async () => {
      const [plain, shuffled] = [contextOf(), contextOf({ tasks: shuffledTasks() })];
      const expected = await collectFrom(samples(plain, 6, shape), make(), plain);
      expect(await collectFrom(samples(shuffled, 6, shape), make(), shuffled)).toEqual(expected);
    });

    if (contract.replays) {
      it("a recorded history runs again to the same bytes", async () => {
        const context = contextOf();
        const seen = await collectFrom(samples(context, 4, shape), make(), context);
        for (const value of seen) {
          const index = Number(value.id.slice(5));
          const one = source("samples", 1, () => pooledSample(context.pool, index, shape));
          const [again] = await collectFrom(one, replay(value.history), context);
          expect(again!.image).toEqual(value.image);
          expect(again!.label).toEqual(value.label);
          expect(again!.imageShape).toEqual(value.imageShape);
          expect(again!.history.slice(1)).toEqual(value.history.slice(1));
          // What stands in a history survives JSON.
          expect(JSON.parse(JSON.stringify(value.history))).toEqual(value.history);
        }
      });
    }
  });
}

/** A sample whose arrays fail when they are read, as a damaged cache does. */
function brokenCopy({ image, label, ...rest }: Sample): Sample {
  const broken = (of: VoxelSource): VoxelSource => ({
    dtype: of.dtype,
    shape: of.shape,
    geometry: of.geometry,
    byteLength: of.byteLength,
    readRegion: () => {
      throw new VoxError("the chunk cannot be read", { code: "ERR_CHECKSUM", where: "cache" });
    },
    retain() {
      of.retain();
      return this;
    },
    release: () => of.release(),
  });
  return { ...rest, image: broken(image) as Sample["image"], label: broken(label!) as NonNullable<Sample["label"]> };
}

function catchError(build: () => unknown): unknown {
  try {
    build();
  } catch (error) {
    return error;
  }
  return undefined;
}
