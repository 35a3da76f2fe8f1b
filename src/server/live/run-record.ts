import type { RunCommand, RunEvent } from "../../core/run-events.js";
import { BucketTable, type BucketTableState } from "./bucket-table.js";
import { moreCases } from "./more-cases.js";

type EventOf<Type extends RunEvent["type"]> = Extract<RunEvent, { readonly type: Type }>;

/** A list that may grow without end: its length, and its last entries. */
export interface Recent<Entry> {
  readonly count: number;
  readonly last: readonly Entry[];
}

/** What a `stages` event leaves in the history: enough for throughput and memory over the last minutes. */
export interface StageMoment {
  readonly t: number;
  readonly bytesInUse: number;
  readonly names: readonly string[];
  /** Items that left each stage; those that reached it where nothing comes after. */
  readonly passed: readonly number[];
  readonly held: readonly number[];
  readonly busyMs: readonly number[];
  readonly blockedMs: readonly number[];
  readonly starvedMs: readonly number[];
  readonly workMs: readonly number[];
}

export type GraphName = NonNullable<EventOf<"stages">["graph"]>;

/** The latest report of a graph, and a trail of those before it. */
export interface GraphRecord {
  readonly latest: EventOf<"stages">;
  readonly moments: readonly StageMoment[];
}

export interface RunRecordState {
  readonly events: number;
  readonly lastTime: number;
  readonly starts: number;
  readonly start?: EventOf<"start">;
  readonly end?: EventOf<"end">;
  readonly step?: EventOf<"step">;
  readonly epoch?: EventOf<"epoch">;
  readonly graphs: Readonly<Partial<Record<GraphName, GraphRecord>>>;
  readonly latest?: EventOf<"checkpoint">;
  readonly best?: EventOf<"checkpoint">;
  readonly evaluation?: EventOf<"evaluation">;
  readonly previews: Recent<EventOf<"preview">>;
  /** What whole validation cases scored, epoch after epoch. */
  readonly cases: readonly EventOf<"cases">[];
  readonly predictions: Recent<EventOf<"prediction">>;
  readonly finished: Recent<EventOf<"epoch">>;
  readonly skips: Recent<EventOf<"skip">>;
  readonly warnings: Recent<EventOf<"warning">>;
  /** Requests that were carried out. */
  readonly controls: Recent<EventOf<"control">>;
  readonly samples: Recent<EventOf<"samples">>;
  readonly system?: EventOf<"system">;
  readonly use: BucketTableState;
  readonly steps: BucketTableState;
  readonly epochs: BucketTableState;
}

const MOST_ENTRIES = 200;
const MOST_MOMENTS = 120;
const PAUSING: ReadonlySet<RunCommand> = new Set(["pause", "resume", "stop"]);

/**
 * What is known about a run, folded from its events one by one in bounded memory, whatever the length of the run. The server folds the file, sends the
 * record as JSON, and the page folds the live events that follow into its copy with this same class.
 *
 * Columns of `steps` (axis: step): loss, learningRate, waitMs, stepMs, `metric/<name>`. Columns of `epochs` (axis: epoch): step, loss, validationLoss,
 * learningRate, seconds, waitShare, `metric/<name>`, `validation/<name>`. Columns of `use` (axis: seconds since 1970): cores, rssBytes, threads,
 * machineLoad, machineBytes, `gpu/<i>/load`, `gpu/<i>/memoryBytes`.
 */
export class RunRecord {
  events = 0;
  lastTime = 0;
  starts = 0;
  start: EventOf<"start"> | undefined;
  end: EventOf<"end"> | undefined;
  step: EventOf<"step"> | undefined;
  epoch: EventOf<"epoch"> | undefined;
  graphs: Partial<Record<GraphName, GraphRecord>> = {};
  latest: EventOf<"checkpoint"> | undefined;
  best: EventOf<"checkpoint"> | undefined;
  evaluation: EventOf<"evaluation"> | undefined;
  previews: Recent<EventOf<"preview">> = { count: 0, last: [] };
  cases: readonly EventOf<"cases">[] = [];
  predictions: Recent<EventOf<"prediction">> = { count: 0, last: [] };
  finished: Recent<EventOf<"epoch">> = { count: 0, last: [] };
  skips: Recent<EventOf<"skip">> = { count: 0, last: [] };
  warnings: Recent<EventOf<"warning">> = { count: 0, last: [] };
  controls: Recent<EventOf<"control">> = { count: 0, last: [] };
  samples: Recent<EventOf<"samples">> = { count: 0, last: [] };
  system: EventOf<"system"> | undefined;
  use = new BucketTable({ capacity: 360 });
  steps = new BucketTable();
  epochs = new BucketTable();

  /** Folds in one event; `mark` is its place in the file. */
  apply(event: RunEvent, mark = 0): void {
    this.events++;
    this.lastTime = Math.max(this.lastTime, event.t);
    switch (event.type) {
      case "step":
        this.step = event;
        this.#add(this.steps, event.step, event.t, mark, stepValues(event));
        return;
      case "epoch":
        this.epoch = event;
        this.finished = more(this.finished, event);
        this.#add(this.epochs, event.epoch, event.t, mark, epochValues(event));
        return;
      case "stages":
        this.#report(event);
        return;
      case "start":
        this.#begin(event);
        return;
      case "memory":
        // Every report of the stages carries the budget.
        return;
      case "preview":
        this.previews = more(this.previews, event);
        return;
      case "cases":
        this.cases = moreCases(this.cases, event);
        return;
      case "checkpoint":
        this[event.kind] = event;
        return;
      case "skip":
        this.skips = more(this.skips, event);
        return;
      case "warning":
        this.warnings = more(this.warnings, event);
        return;
      case "prediction":
        this.predictions = more(this.predictions, event);
        return;
      case "control":
        this.controls = more(this.controls, event);
        return;
      case "samples":
        this.samples = more(this.samples, event);
        return;
      case "system":
        this.system = event;
        this.#add(this.use, Math.round(event.t / 1000), event.t, mark, useValues(event));
        return;
      case "evaluation":
        this.evaluation = event;
        return;
      case "end":
        this.end = event;
        return;
      default:
        event satisfies never;
    }
  }

  /** Whether the running session stands paused on request. */
  get isPaused(): boolean {
    if (this.end) return false;
    const last = this.controls.last.findLast(({ command, t }) => PAUSING.has(command) && t >= (this.start?.t ?? 0));
    return last?.command === "pause";
  }

  /** A step whose numbers were read without making an event of it. `step` stays as it is until a whole event is applied or set. */
  applyStep(step: number, time: number, mark: number, names: readonly string[], values: ArrayLike<number>): void {
    this.events++;
    this.lastTime = Math.max(this.lastTime, time);
    this.steps.add(step, time, mark, names, values);
  }

  toJSON(): RunRecordState {
    const { events, lastTime, starts, graphs, previews, cases, predictions, finished, skips, warnings, controls, samples } = this;
    const { start, end, step, epoch, latest, best, evaluation, system } = this;
    return {
      ...{ events, lastTime, starts, graphs, previews, cases, predictions, finished, skips, warnings, controls, samples },
      ...{ start, end, step, epoch, latest, best, evaluation, system },
      use: this.use.toJSON(),
      steps: this.steps.toJSON(),
      epochs: this.epochs.toJSON(),
    } as RunRecordState;
  }

  static fromJSON(state: RunRecordState): RunRecord {
    return Object.assign(new RunRecord(), state, {
      use: BucketTable.fromJSON(state.use),
      steps: BucketTable.fromJSON(state.steps),
      epochs: BucketTable.fromJSON(state.epochs),
    });
  }

  #add(table: BucketTable, x: number, time: number, mark: number, values: Iterable<readonly [string, number]>): void {
    const entries = [...values];
    table.add(
      x,
      time,
      mark,
      entries.map(([name]) => name),
      entries.map(([, value]) => value),
    );
  }

  #report(event: EventOf<"stages">): void {
    const name = event.graph ?? "training";
    const before = this.graphs[name]?.moments ?? [];
    this.graphs = { ...this.graphs, [name]: { latest: event, moments: [...before.slice(1 - MOST_MOMENTS), moment(event)] } };
  }

  /** A resumed run repeats the steps after its checkpoint, a new run in an old folder all of them. */
  #begin(event: EventOf<"start">): void {
    this.starts++;
    this.start = event;
    this.end = undefined;
    this.graphs = {};
    const from = event.resumedAtStep ?? -1;
    if (this.step && this.step.step > from) this.step = undefined;
    if (this.epoch && this.epoch.step > from) this.epoch = undefined;
    const kept = this.finished.last.filter(({ step }) => step <= from);
    this.finished = { count: this.finished.count - (this.finished.last.length - kept.length), last: kept };
    const lastEpoch = kept.at(-1)?.epoch ?? 0;
    this.cases = this.cases.filter(({ epoch }) => epoch <= lastEpoch);
    this.steps.cutAfter(from);
    const at = this.epochs.points("step");
    this.epochs.cutAfter(at.x.filter((_, i) => at.max[i]! <= from).at(-1) ?? -1);
  }
}

function* stepValues(event: EventOf<"step">): Iterable<readonly [string, number]> {
  yield ["loss", event.loss];
  yield ["learningRate", event.learningRate];
  yield ["waitMs", event.waitMs];
  yield ["stepMs", event.stepMs];
  for (const name in event.metrics) yield [`metric/${name}`, event.metrics[name]!];
}

function* epochValues(event: EventOf<"epoch">): Iterable<readonly [string, number]> {
  yield ["step", event.step];
  yield ["loss", event.loss];
  if (event.validationLoss !== undefined) yield ["validationLoss", event.validationLoss];
  yield ["learningRate", event.learningRate];
  yield ["seconds", event.seconds];
  yield ["waitShare", event.waitShare];
  for (const name in event.metrics) yield [`metric/${name}`, event.metrics[name]!];
  for (const name in event.validationMetrics) yield [`validation/${name}`, event.validationMetrics[name]!];
}

function* useValues({ cores, rssBytes, threads, machineLoad, machineBytes, gpus = [] }: EventOf<"system">): Iterable<readonly [string, number]> {
  yield ["cores", cores];
  yield ["rssBytes", rssBytes];
  if (threads !== undefined) yield ["threads", threads];
  yield ["machineLoad", machineLoad];
  yield ["machineBytes", machineBytes];
  for (const [i, { load, memoryBytes }] of gpus.entries()) {
    if (load !== undefined) yield [`gpu/${i}/load`, load];
    if (memoryBytes !== undefined) yield [`gpu/${i}/memoryBytes`, memoryBytes];
  }
}

function moment({ t, bytesInUse, stages }: EventOf<"stages">): StageMoment {
  const names = stages.map(({ name }) => name);
  return {
    t,
    bytesInUse,
    names,
    passed: stages.map((stage) => (stage.to.some((next) => names.includes(next)) ? stage.out : Math.max(stage.in, stage.out))),
    held: stages.map(({ held }) => held),
    busyMs: stages.map(({ busyMs }) => busyMs),
    blockedMs: stages.map(({ blockedMs }) => blockedMs),
    starvedMs: stages.map(({ starvedMs }) => starvedMs),
    workMs: stages.map(({ workMs }) => workMs),
  };
}

function more<Entry>(list: Recent<Entry>, entry: Entry): Recent<Entry> {
  const last = list.last.length < MOST_ENTRIES ? list.last : list.last.slice(1);
  return { count: list.count + 1, last: [...last, entry] };
}
