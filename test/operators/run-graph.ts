import type { Observable } from "rxjs";
import type { CaseRef, CustomCase, DataSet } from "../../src/core/case.js";
import type { Affine } from "../../src/core/geometry.js";
import { Random } from "../../src/core/random.js";
import type { RunContext, TaskRunner } from "../../src/core/run-context.js";
import { elementCount, type Shape4 } from "../../src/core/shape.js";
import { SlabPool } from "../../src/core/slab-pool.js";
import { run, to } from "../../src/streams/index.js";
import { inlineTaskPool } from "../../src/workers/inline-task-pool.js";

export function contextOf(options: Partial<RunContext> = {}): RunContext {
  return {
    seed: 1,
    mode: "training",
    pool: new SlabPool({ budget: 512 * 1024 ** 2 }),
    tasks: inlineTaskPool() as TaskRunner,
    onError: "fail",
    ...options,
  };
}

/** Runs a flow to its end; `see` gets each value while it is alive. */
export async function collect<A, R>(flow: Observable<A>, context: RunContext, see: (value: A) => R, from = {}): Promise<R[]> {
  const results: R[] = [];
  const job = run("test", [flow.pipe(to((value) => void results.push(see(value))))], { context, from });
  await job.done;
  return results;
}

/** A data set in memory: smooth images with noise, a blob of label 1 and a small one of label 2. */
export function syntheticData(
  count: number,
  shape: Shape4 = [12, 20, 16, 1],
  make?: (index: number) => CustomCase,
): DataSet & { readonly reads: string[] } {
  const reads: string[] = [];
  return {
    classes: ["background", "organ", "lesion"],
    channels: shape[3],
    reads,
    list: async () => refsOf(count),
    read: async (ref) => {
      reads.push(ref.id);
      return make?.(Number(ref.id.slice(-2))) ?? syntheticCase(ref.id, shape);
    },
  };
}

export function refsOf(count: number): CaseRef[] {
  return Array.from({ length: count }, (_, i) => ({ id: `case_${String(i).padStart(2, "0")}`, images: [] }));
}

export function syntheticCase(id: string, shape: Shape4): CustomCase {
  const random = new Random("synthetic", id);
  const [depth, height, width, channels] = shape;
  const data = new Float32Array(elementCount(shape));
  const label = new Uint8Array(depth * height * width);
  const affine: Affine = [1.5, 0, 0, -10, 0, 1.5, 0, 5, 0, 0, 3, 7, 0, 0, 0, 1];
  for (let z = 0, i = 0, v = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, v++) {
        const inside = ((z - depth / 2) / (depth / 3)) ** 2 + ((y - height / 2) / (height / 4)) ** 2 + ((x - width / 2) / (width / 4)) ** 2 < 1;
        label[v] = inside ? (x < width / 2 - 1 ? 2 : 1) : 0;
        for (let c = 0; c < channels; c++) data[i++] = (inside ? 100 : -50) + 20 * random.normal() + c;
      }
    }
  }
  return { image: { data, shape, affine }, label: { data: label, shape: [depth, height, width, 1] } };
}
