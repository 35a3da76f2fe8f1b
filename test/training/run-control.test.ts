import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataSet } from "../../src/core/case.js";
import type { RunCommand, RunEvent } from "../../src/core/run-events.js";
import { softDice, tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { augment } from "../../src/operators/augment/augment.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { batch } from "../../src/operators/stream/batch.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { type TrainOptions, train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-control-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = (name: string, extra: Partial<TrainingConfig> = {}): TrainingConfig => ({
  name,
  data: tinyData(4),
  split: { validation: 0.25 },
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8], perCase: 4 }), augment({ probability: 1 }), batch({ size: 2 })),
  model: unet({ filters: 2, depth: 1 }),
  loss: tverskyLoss(),
  metrics: [softDice()],
  training: { epochs: 100_000, learningRate: 1e-3, checkpoint: { everyMinutes: 1000 } },
  workers: 0,
  memory: "64MB",
  runs: root,
  ...extra,
});

/** A training that goes on until it is told to stop, and what is needed to tell it. */
function running(name: string, options: TrainOptions & { readonly extra?: Partial<TrainingConfig> } = {}) {
  const events: RunEvent[] = [];
  const waiting = new Set<() => void>();
  const { extra, ...rest } = options;
  const stop = new AbortController();
  const result = train(config(name, extra), {
    signal: stop.signal,
    ...rest,
    onEvent: (event) => {
      events.push(event);
      for (const look of [...waiting]) look();
    },
  });
  const until = <T>(find: (events: readonly RunEvent[]) => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find(events);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      result.then(look, reject);
    });
  const steps = () => events.filter(({ type }) => type === "step").length;
  const session = () => until((all) => all.find(({ type }) => type === "start")?.t);
  let count = 0;
  const ask = async (command: RunCommand | string, fields: object = {}) => {
    const id = `${command}-${++count}`;
    appendFileSync(join(root, name, "control.jsonl"), `${JSON.stringify({ t: Date.now(), id, session: await session(), command, ...fields })}\n`);
    return id;
  };
  const done = (id: string) => until((all) => all.find((event) => event.type === "control" && event.id === id));
  const moreSteps = (n: number) => {
    const from = steps();
    return until(() => (steps() >= from + n ? true : undefined));
  };
  return { events, result, until, steps, session, ask, done, moreSteps, folder: join(root, name), stop: () => stop.abort() };
}

/** Cases of which some are not read before they may be; `order` counts cases as they are asked for, from 0. */
function gated(waits: (id: string, order: number) => boolean) {
  let [ask, open] = [(): void => {}, (): void => {}];
  const isAsked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const isOpen = new Promise<void>((resolve) => {
    open = resolve;
  });
  const known: string[] = [];
  const data = tinyData(4);
  const read: DataSet["read"] = async (ref) => {
    if (!known.includes(ref.id)) known.push(ref.id);
    if (waits(ref.id, known.indexOf(ref.id))) {
      ask();
      await isOpen;
    }
    return data.read!(ref);
  };
  return { data: { ...data, read } as DataSet, isAsked, open };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("control of a running training", () => {
  it("pause stands still between two steps, resume goes on, and both are recorded", async () => {
    const run = running("pause");
    await run.moreSteps(3);
    const paused = await run.done(await run.ask("pause"));
    const before = run.steps();
    expect(paused).toMatchObject({ type: "control", command: "pause", step: before });
    await wait(3000);
    expect(run.steps()).toBe(before);
    const resumed = await run.done(await run.ask("resume"));
    expect(resumed).toMatchObject({ command: "resume", step: before });
    await run.moreSteps(3);
    // The pause is no epoch's time: the epoch that held it says about three seconds less than passed between the events.
    const epoch = (await run.until((all) => all.slice(all.indexOf(resumed)).find(({ type }) => type === "epoch"))) as Extract<
      RunEvent,
      { type: "epoch" }
    >;
    const began = run.events.slice(0, run.events.indexOf(epoch)).findLast(({ type }) => type === "epoch" || type === "start")!;
    expect(epoch.t - began.t).toBeGreaterThan(2900);
    expect(epoch.seconds).toBeLessThan((epoch.t - began.t) / 1000 - 1.5);
    await run.ask("stop");
    await run.result;
    expect(readFileSync(join(run.folder, "events.jsonl"), "utf8")).toContain('"command":"pause"');
  });

  it("stop ends the run after its step with a checkpoint, and it resumes from there", async () => {
    const run = running("stop");
    await run.moreSteps(4);
    await run.done(await run.ask("stop"));
    const result = await run.result;
    expect(result).toMatchObject({ status: "stopped", reason: "train: stopped on request" });
    expect(run.events.at(-1)).toMatchObject({ type: "end", status: "stopped", message: "train: stopped on request" });
    expect(existsSync(join(run.folder, "checkpoints", "latest", "bundle.json"))).toBe(true);
    const again = running("stop", { resume: true });
    const start = await again.until((all) => all.find(({ type }) => type === "start"));
    expect(start).toMatchObject({ resumedAtStep: result.steps });
    await again.moreSteps(2);
    expect(again.events.find((event) => event.type === "step")).toMatchObject({ step: result.steps + 1 });
    await again.ask("stop");
    expect((await again.result).steps).toBeGreaterThan(result.steps);
  });

  it("checkpoint now writes one between two steps, also while the run is paused", async () => {
    const run = running("checkpoint");
    await run.moreSteps(2);
    await run.done(await run.ask("checkpoint"));
    const checkpoints = () => run.events.filter((event) => event.type === "checkpoint" && event.kind === "latest").length;
    expect(checkpoints()).toBeGreaterThan(0);
    await run.done(await run.ask("pause"));
    // Until it stood, the end of an epoch may have written another.
    const before = checkpoints();
    await run.done(await run.ask("checkpoint"));
    expect(checkpoints()).toBe(before + 1);
    await run.ask("stop");
    await run.result;
  });

  it("pause holds while validating, too, a checkpoint then has the trained weights and resumes, and a signal ends a pause", async () => {
    const training = { epochs: 100_000, stepsPerEpoch: 1, learningRate: 1e-3, ema: 0.9, checkpoint: { everyMinutes: 1000 } };
    const gate = gated((id) => id === "case_3");
    const extra: Partial<TrainingConfig> = { training, data: gate.data, split: { validation: ["case_3"] }, validation: { cases: { every: 1 } } };
    const run = running("validating", { extra });
    await gate.isAsked;
    const asksPause = await run.ask("pause");
    // The run looks at the file while it waits for the case.
    await wait(600);
    gate.open();
    await run.done(asksPause);
    await run.done(await run.ask("checkpoint"));
    expect(run.events.some(({ type }) => type === "epoch")).toBe(false);
    const latest = join(run.folder, "checkpoints", "latest");
    const { state } = JSON.parse(readFileSync(join(latest, "state.json"), "utf8"));
    expect(state).toMatchObject({ epoch: 0, step: 1, stepInEpoch: 1 });
    const asked = readFileSync(join(latest, "weights.bin"));
    run.stop();
    expect(await run.result).toMatchObject({ status: "stopped" });
    // The one that the signal makes has left the validation behind it.
    expect(readFileSync(join(latest, "weights.bin")).equals(asked)).toBe(true);
    const again = running("validating", { resume: true, extra });
    await again.moreSteps(1);
    expect(again.events.find(({ type }) => type === "step")).toMatchObject({ step: 2 });
    again.stop();
    await again.result;
  });

  it("passes over requests to another session, twice the same, unknown ones and what is none", async () => {
    const earlier = running("strange");
    await earlier.moreSteps(1);
    await earlier.ask("stop");
    await earlier.result;
    // A session that is over never got to it.
    await earlier.ask("stop");
    const run = running("strange", { resume: true });
    await run.moreSteps(1);
    await run.ask("stop", { session: await earlier.session() });
    await run.ask("stop", { session: (await run.session()) - 1 });
    await run.ask("reboot");
    appendFileSync(join(run.folder, "control.jsonl"), `null\n{"half": \n[]\n${"x".repeat(70_000)}\n`);
    const id = await run.ask("checkpoint");
    await run.done(id);
    await run.ask("checkpoint", { id });
    await run.done(await run.ask("checkpoint"));
    expect(run.events.filter((event) => event.type === "control")).toHaveLength(2);
    // A line counts when it is whole.
    const line = `${JSON.stringify({ t: 1, id: "last", session: await run.session(), command: "stop" })}\n`;
    appendFileSync(join(run.folder, "control.jsonl"), line.slice(0, 20));
    await wait(500);
    expect(run.events.at(-1)?.type).not.toBe("end");
    appendFileSync(join(run.folder, "control.jsonl"), line.slice(20));
    expect(await run.result).toMatchObject({ status: "stopped" });
  });

  it("hears what is asked for from the start event on, before there is a batch", async () => {
    const path = (name: string) => join(root, name, "control.jsonl");
    const run = train(config("at-once"), {
      onEvent: (event) => {
        if (event.type !== "start") return;
        appendFileSync(path("at-once"), `${JSON.stringify({ t: 1, id: "early", session: event.t, command: "stop" })}\n`);
      },
    });
    expect(await run).toMatchObject({ status: "stopped", reason: "train: stopped on request" });
    expect(readFileSync(join(root, "at-once", "events.jsonl"), "utf8")).toContain('"id":"early"');
  });

  const split = { validation: ["case_3"] };
  it.each([
    [
      "the first batch of a graph that shows its patch only then",
      (_: string, order: number) => order === 0,
      { graph: (({ cases }) => cases.pipe(load(), batch({ size: 1 }))) satisfies TrainingConfig["graph"] },
      0,
    ],
    ["another batch of the same step", (_: string, order: number) => order === 1, { training: { epochs: 9, accumulate: 4 } }, 0],
    ["a validation case", (id: string) => id === "case_3", {}, 6],
  ] as const)("a request to stop is heard while waiting for %s", async (what, waits, fields, steps) => {
    const gate = gated(waits);
    const run = running(`waits for ${what}`.replaceAll(" ", "-"), { extra: { data: gate.data, split, training: { epochs: 9 }, ...fields } });
    await gate.isAsked;
    expect(await run.done(await run.ask("stop"))).toMatchObject({ command: "stop", step: steps });
    gate.open();
    expect(await run.result).toMatchObject({ status: "stopped", steps, epochs: 0 });
  });

  it("never reads through a link", async () => {
    const run = running("linked");
    await run.moreSteps(1);
    const other = join(root, "elsewhere.jsonl");
    writeFileSync(other, `${JSON.stringify({ t: 1, id: "a", session: await run.session(), command: "stop" })}\n`);
    symlinkSync(other, join(run.folder, "control.jsonl"));
    await wait(600);
    expect(run.events.some((event) => event.type === "control")).toBe(false);
    run.stop();
    await run.result;
  });
});

describe("samples of a running training", () => {
  it("are written as the trainer received them, first unasked and then on request, and only the latest stay", async () => {
    const run = running("samples");
    const first = await run.until((all) => all.find((event) => event.type === "samples"));
    expect(first).toMatchObject({ type: "samples", step: 1, epoch: 1, count: 2, path: "samples/step-000000001.json" });
    for (let i = 0; i < 8; i++) {
      const before = run.events.filter((event) => event.type === "samples").length;
      await run.done(await run.ask("samples"));
      await run.until((all) => (all.filter((event) => event.type === "samples").length > before ? true : undefined));
    }
    await run.ask("stop");
    await run.result;
    const files = readdirSync(join(run.folder, "samples"));
    expect(files).toHaveLength(12);
    const description = JSON.parse(readFileSync(join(run.folder, "samples", files.findLast((name) => name.endsWith(".json"))!), "utf8"));
    expect(description).toMatchObject({
      format: "voxstream-samples",
      shape: [1, 8, 8, 1],
      classes: ["background", "square"],
      label: { dtype: "uint8", channels: 1, offset: 2 * 64 * 4 },
    });
    expect(description.samples).toHaveLength(2);
    expect(description.samples[0].history.map(({ operator }: { operator: string }) => operator)).toEqual(["load", "patch", "augment"]);
    const bytes = readFileSync(join(run.folder, "samples", `step-${String(description.step).padStart(9, "0")}.bin`));
    expect(bytes).toHaveLength(2 * 64 * 5);
    const voxels = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 512));
    expect(voxels.every(Number.isFinite)).toBe(true);
    expect(new Set(voxels).size).toBeGreaterThan(100);
    expect([...bytes.subarray(512)].every((label) => label <= 1)).toBe(true);
  });

  it("are those of the step: what the network saw is what was written", async () => {
    const seen = new Map<string, Float32Array>();
    const graph: TrainingConfig["graph"] = ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8], perCase: 1 }), batch({ size: 1 }));
    const run = running("exact", { extra: { graph } });
    const { path } = (await run.until((all) => all.find((event) => event.type === "samples"))) as Extract<RunEvent, { type: "samples" }>;
    run.stop();
    await run.result;
    const { samples } = JSON.parse(readFileSync(join(run.folder, path), "utf8"));
    const [{ id, history }] = samples;
    const { tinyCase } = await import("./tiny-case.js");
    const [, y0, x0] = history.find(({ operator }: { operator: string }) => operator === "patch").params.start;
    const { data } = tinyCase(id).image;
    seen.set(
      id,
      Float32Array.from({ length: 64 }, (_, i) => data[(y0 + Math.floor(i / 8)) * 16 + x0 + (i % 8)]!),
    );
    const bytes = readFileSync(join(run.folder, path.replace(".json", ".bin")));
    expect(new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 256))).toEqual(seen.get(id));
  });
});

describe("what a run keeps for looking back", () => {
  it("the validation patch and the prediction of each epoch as NIfTI", async () => {
    const run = running("previews", {
      extra: { training: { epochs: 3, stepsPerEpoch: 2, learningRate: 1e-2 } },
      preview: ({ epoch }) => `previews/epoch-${epoch}.png`,
    });
    await run.result;
    const previews = run.events.filter((event) => event.type === "preview");
    expect(previews).toHaveLength(3);
    expect(new Set(previews.map(({ volumes }) => volumes!.image)).size).toBe(1);
    expect(previews.map(({ volumes }) => volumes!.prediction)).toEqual([1, 2, 3].map((epoch) => `previews/epoch-0000${epoch}.prediction.nii.gz`));
    for (const { volumes } of previews) for (const path of Object.values(volumes!)) expect(existsSync(join(run.folder, path))).toBe(true);
  });

  it("what process and machine used", async () => {
    const run = running("machine");
    const event = await run.until((all) => all.find(({ type }) => type === "system"));
    await run.ask("stop");
    await run.result;
    if (event.type !== "system") throw new Error("no system event");
    expect(event.cores).toBeGreaterThan(0);
    expect(event.rssBytes).toBeGreaterThan(50e6);
    expect(event.machineLoad).toBeGreaterThan(0);
    expect(event.machineLoad).toBeLessThanOrEqual(1);
    expect(event.machineTotalBytes).toBeGreaterThan(event.machineBytes);
  });
});
