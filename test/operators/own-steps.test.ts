import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { OperatorFunction } from "rxjs";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { cacheInfo } from "../../src/cache/index.js";
import type { RunContext } from "../../src/core/run-context.js";
import type { Sample } from "../../src/core/sample.js";
import type { Volume } from "../../src/core/volume.js";
import { undoPreprocessing } from "../../src/inference/undo-preprocessing.js";
import { bringSteps } from "../../src/operators/bring-steps.js";
import { cached, cases, clip, descriptionOf, load, normalize, recordOperators, replay, transform } from "../../src/operators/index.js";
import { inspectGraph } from "../../src/training/hosting/inspect-graph.js";
import { createTaskPool, type TaskPool } from "../../src/workers/create-task-pool.js";
import { collect, contextOf, refsOf, syntheticData } from "./run-graph.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-own-steps-"));
const fixtures = new URL("./fixtures/own-steps/", import.meta.url);
const module = new URL("soft-window.mjs", fixtures).href;
const data = syntheticData(2, [4, 6, 5, 1]);
let pool: TaskPool | undefined;

afterEach(async () => {
  await pool?.destroy();
  pool = undefined;
});
afterAll(() => rmSync(root, { recursive: true }));

function threads(): RunContext {
  pool = createTaskPool({ threads: 1 });
  return contextOf({ tasks: pool });
}

/** What a user's module exports, without importing it in this thread. */
const work = (): never => {
  throw new Error("the work must run in a worker");
};

const softWindow = (from = module) =>
  transform({ name: "softWindow", parameters: { level: 20, width: 40 }, apply: work, module: from, export: "softWindow" });

function images(operators: readonly OperatorFunction<Sample, Sample>[], context: RunContext): Promise<number[][]> {
  const flow = operators.reduce((before, operator) => before.pipe(operator), cases(data, { refs: refsOf(2), order: "sorted" }).pipe(load()));
  return collect(flow, context, ({ image }) => [...(image as Volume<"float32">).data]);
}

describe("an operator of one's own", () => {
  it("of a module runs in worker threads, in the same task as the operators beside it", async () => {
    const marked = transform({ name: "markThread", apply: work, module, export: "markThread" });
    const context = threads();
    const [first] = await images([clip({ min: -50, max: 100 }), marked], context);
    expect(first!.every((id) => id > 0)).toBe(true);
    const payloads: string[] = [];
    const spying: RunContext = {
      ...context,
      tasks: {
        concurrency: 1,
        run: (task, payload, options) => {
          payloads.push(task);
          return context.tasks.run(task, payload, options);
        },
      },
    };
    await images([clip({ min: -50, max: 100 }), softWindow(), normalize()], spying);
    expect(payloads).toEqual(["runSteps", "runSteps"]);
  });

  it("gives what the same work gives on the graph thread, where it may be written in place", async () => {
    const inline = transform({
      name: "softWindowHere",
      parameters: { level: 20, width: 40 },
      apply: ({ image }, { level, width }: { level: number; width: number }) => {
        image!.input.forEach((x, i) => {
          image!.output[i] = 1 / (1 + Math.exp(-(x - level) / width));
        });
      },
    });
    expect(await images([softWindow()], threads())).toEqual(await images([inline], contextOf()));
  });

  it("may be random: parameters are drawn on the graph thread, the same for any number of threads", async () => {
    const random = () =>
      transform({
        name: "randomWindow",
        draw: (draw) => ({ level: draw.uniform(0, 50), width: 30 }),
        apply: work as never,
        module,
        export: "softWindow",
      });
    const threaded = await images([random()], threads());
    expect(threaded).toEqual(await images([random()], contextOf()));
    expect(threaded[0]).not.toEqual(threaded[1]);
  });

  it("may change shapes by what it finds in the voxels", async () => {
    const { trim: step } = await import(module);
    for (const above of [90, 130, 1000]) {
      const trim = transform({ name: "trim", parameters: { above }, step, module, export: "trim" });
      const context = threads();
      const whole = await images([], contextOf());
      const sizes = await collect(cases(data, { refs: refsOf(2), order: "sorted" }).pipe(load(), trim), context, ({ image, history }) => ({
        depth: image.shape[0],
        voxels: [...(image as Volume<"float32">).data],
        params: history.at(-1)!.params,
      }));
      await pool!.destroy();
      for (const [n, { depth, voxels, params }] of sizes.entries()) {
        expect(depth).toBe(Math.max(1, Math.ceil((whole[n]!.findLastIndex((x) => x > above) + 1) / 30)));
        expect(voxels).toEqual(whole[n]!.slice(0, depth * 30));
        expect(params).toEqual({ above, measured: depth });
      }
      if (above === 1000) expect(sizes.map(({ depth }) => depth)).toEqual([1, 1]);
    }
  });

  it("that moves voxels is undone for predictions", async () => {
    const roll = transform({ name: "roll", parameters: { by: 2 }, step: (await import(module)).roll, module, export: "roll" });
    const [{ image, history }] = (await collect(cases(data, { refs: refsOf(1) }).pipe(load(), roll), threads(), (sample) => ({
      image: (sample.image as Volume<"float32">).data.slice(),
      history: sample.history,
    }))) as [{ image: Float32Array; history: Sample["history"] }];
    const [before] = await images([], contextOf());
    const bright = (values: ArrayLike<number>) => Uint8Array.from(values, (x) => (x > 20 ? 1 : 0));
    expect(bright(image)).not.toEqual(bright(before!));
    expect(undoPreprocessing({ labels: bright(image), shape: [4, 6, 5], classes: 2, history }).labels).toEqual(bright(before!));
  });

  it("is kept by cached under the hash of its module and of what that imports", async () => {
    const own = join(root, "steps");
    cpSync(fixtures, own, { recursive: true });
    const url = pathToFileURL(join(own, "soft-window.mjs")).href;
    const folder = join(root, "cache");
    const make = async (): Promise<number[][]> => {
      const flow = cases(data, { refs: refsOf(2), order: "sorted" }).pipe(cached(load(), softWindow(url), normalize(), { folder }));
      return collect(flow, threads(), ({ image }) => {
        const values = new Float32Array(4 * 6 * 5);
        if (image.readRegion) image.readRegion([0, 0, 0], [4, 6, 5], values);
        else values.set((image as Volume<"float32">).data);
        return [...values];
      });
    };
    const plain = await make();
    await pool!.destroy();
    expect(plain).toEqual(await images([softWindow(), normalize()], contextOf()));
    expect(await make()).toEqual(plain);
    await pool!.destroy();
    expect(cacheInfo(folder).cases).toBe(2);
    writeFileSync(join(own, "curve.mjs"), readFileSync(join(own, "curve.mjs"), "utf8").replace("1 / (1 +", "2 / (1 +"));
    await make();
    expect(cacheInfo(folder).cases).toBe(4);
  });

  it("stands in a bundle's preprocessing with its module, and comes back from there", async () => {
    const graph = () => cases(data, { refs: refsOf(2) }).pipe(load(), softWindow()) as never;
    const { preprocessing } = inspectGraph({ data, graph });
    expect(JSON.parse(JSON.stringify(preprocessing))[1]).toEqual({
      name: "softWindow",
      params: { level: 20, width: 40 },
      module: { url: module, export: "softWindow", hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    // Another name is as unknown to this thread as the whole step is to another program.
    const foreign = { ...preprocessing[1]!, name: "softWindowOfABundle" };
    await bringSteps([foreign], "bundle");
    const brought = transform({ name: foreign.name, parameters: foreign.params });
    expect(await images([brought], threads())).toEqual(await images([softWindow()], contextOf()));
    // Beside the bundle wins over a place that is gone.
    const gone = { ...foreign, name: "softWindowBeside", module: { ...foreign.module!, url: "file:///nowhere/soft-window.mjs" } };
    await expect(bringSteps([gone], join(root, "nothing"))).rejects.toMatchObject({ code: "ERR_BUNDLE" });
    cpSync(fixtures, join(root, "bundle"), { recursive: true });
    await bringSteps([gone], join(root, "bundle"));
  });

  it("is missed with its name and the place of its module", async () => {
    const lost = { name: "lost", module: { url: "file:///nowhere/lost.mjs", export: "lost", hash: "" } };
    await expect(bringSteps([lost], "runs/a/checkpoints/best")).rejects.toThrow(
      /^runs\/a\/checkpoints\/best: the step lost must come from its module, which does not load; put the file back, or beside bundle.json: .*\/nowhere\/lost.mjs/,
    );
    await expect(bringSteps([{ name: "inline" }], "bundle")).rejects.toThrow(
      "bundle: the preprocessing must consist of built-in steps and of steps with a module, got inline",
    );
  });

  it("replays by its name", async () => {
    const [entry] = await collect(cases(data, { refs: refsOf(1) }).pipe(load(), softWindow()), threads(), ({ history }) => history);
    await pool!.destroy();
    expect(await images([replay(entry!)], threads())).toEqual(await images([softWindow()], contextOf()));
  });

  it("fails with the sample, the module and the reason", async () => {
    const missing = transform({ name: "missing", apply: work, module, export: "softWindows" });
    await expect(images([missing], threads())).rejects.toMatchObject({
      code: "ERR_WORKER",
      sampleId: "case_00",
      message: `${module}: the module of an operator of your own must export softWindows as a function or a step with apply, got undefined (sample case_00)`,
    });
    const wrong = transform({ name: "wrong", apply: work, module, export: "nothing" });
    await expect(images([wrong], threads())).rejects.toThrow(/must export nothing as a function or a step with apply, got number/);
  });

  it("is checked when it is built", () => {
    expect(() => transform({ name: "clip", apply: () => undefined })).toThrow('transform: name must be one that no built-in step has, got "clip"');
    expect(() => transform({ name: "new" })).toThrow(/transform: name must be one of .*, or come with apply or step, got "new"/);
    expect(() => transform({ name: "new", apply: 3 as never })).toThrow(
      "transform: apply must be a function, or a step with the function apply, got 3",
    );
    expect(() => transform({ name: "new", apply: () => undefined, step: () => undefined })).toThrow(/apply must be given without step/);
    expect(() => transform({ name: "new", apply: work, module: "./steps.mjs" })).toThrow(
      'transform: module must be a file: URL, such as import.meta.url, got "./steps.mjs"',
    );
    expect(() =>
      transform({
        name: "new",
        apply: (
          () => () =>
            undefined
        )(),
        module,
      }),
    ).toThrow(/export must be the name that the module exports the work by/);
    expect(() => transform({ name: "new", apply: work, module: "file:///nowhere/steps.mjs" })).toThrow(
      /file:\/\/\/nowhere\/steps.mjs: the module of an operator of your own must be readable/,
    );
    expect(descriptionOf(softWindow() as never)).toMatchObject({ link: { name: "softWindow", module: { export: "softWindow" } } });
    expect(recordOperators(() => softWindow())).toEqual([]);
  });
});
