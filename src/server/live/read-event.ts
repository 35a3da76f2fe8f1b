import type { GpuReport, RunCommand, RunEvent, StageReport } from "../../core/run-events.js";

const MOST_TEXT = 2000;
const MOST_NAMES = 64;
const MOST_GPUS = 16;
const MOST_CASES = 500;
/** A task such as the organs of the whole body has more than a hundred. */
const MOST_CLASSES = 512;
const COMMANDS: ReadonlySet<unknown> = new Set<RunCommand>(["pause", "resume", "stop", "checkpoint", "samples"]);
const STATES = new Set(["busy", "blocked", "starved", "done"]);

type Fields = Record<string, unknown>;

/**
 * One parsed line of `events.jsonl` as a run event, or undefined when it is none: the file may be written by another version, by hand, or half.
 * Texts are cut to 2000 characters and lists to 64 entries, so one absurd line cannot fill the memory of server and page.
 */
export function readEvent(value: unknown): RunEvent | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const event = value as Fields;
  if (!isNumber(event.t)) return undefined;
  const t = event.t;
  switch (event.type) {
    case "step":
      if (!isCount(event.step) || !isCount(event.epoch)) return undefined;
      return {
        t,
        type: "step",
        step: event.step,
        epoch: event.epoch,
        loss: number(event.loss),
        metrics: numbers(event.metrics),
        learningRate: number(event.learningRate),
        waitMs: number(event.waitMs),
        stepMs: number(event.stepMs),
        ...(isNumber(event.remainingSeconds) ? { remainingSeconds: event.remainingSeconds } : {}),
      };
    case "epoch":
      if (!isCount(event.step) || !isCount(event.epoch)) return undefined;
      return {
        t,
        type: "epoch",
        epoch: event.epoch,
        step: event.step,
        loss: number(event.loss),
        metrics: numbers(event.metrics),
        ...(isNumber(event.validationLoss) ? { validationLoss: event.validationLoss } : {}),
        ...(event.validationMetrics ? { validationMetrics: numbers(event.validationMetrics) } : {}),
        learningRate: number(event.learningRate),
        seconds: number(event.seconds),
        remainingSeconds: number(event.remainingSeconds),
        waitShare: number(event.waitShare),
      };
    case "stages":
      if (!Array.isArray(event.stages)) return undefined;
      return {
        t,
        type: "stages",
        ...(event.graph === "validation" || event.graph === "prediction" ? { graph: event.graph } : {}),
        stages: event.stages.slice(0, MOST_NAMES).flatMap((stage: unknown) => stageReport(stage) ?? []),
        bytesInUse: number(event.bytesInUse, 0),
        budget: number(event.budget, 0),
        verdict: text(event.verdict),
      };
    case "start":
      return {
        t,
        type: "start",
        run: text(event.run),
        seed: number(event.seed, 0),
        engine: text(event.engine),
        epochs: number(event.epochs, 0),
        classes: Array.isArray(event.classes) ? event.classes.slice(0, MOST_CLASSES).map(text) : [],
        pid: number(event.pid, 0),
        ...(isNumber(event.resumedAtStep) ? { resumedAtStep: event.resumedAtStep } : {}),
        ...(isNumber(event.stepsPerEpoch) ? { stepsPerEpoch: event.stepsPerEpoch } : {}),
      };
    case "memory":
      return {
        t,
        type: "memory",
        graph: event.graph === "validation" ? "validation" : "training",
        budget: number(event.budget, 0),
        least: number(event.least, 0),
        text: text(event.text),
      };
    case "preview":
      return { t, type: "preview", path: text(event.path), id: text(event.id), epoch: number(event.epoch, 0), ...previewVolumes(event.volumes) };
    case "cases":
      if (!isCount(event.epoch) || !Array.isArray(event.cases)) return undefined;
      return { t, type: "cases", epoch: event.epoch, cases: event.cases.slice(0, MOST_CASES).flatMap((each: unknown) => validatedCase(each) ?? []) };
    case "control":
      if (!COMMANDS.has(event.command)) return undefined;
      return { t, type: "control", command: event.command as RunCommand, id: text(event.id), step: number(event.step, 0) };
    case "samples":
      return {
        t,
        type: "samples",
        path: text(event.path),
        step: number(event.step, 0),
        epoch: number(event.epoch, 0),
        count: number(event.count, 0),
      };
    case "system":
      return {
        t,
        type: "system",
        cores: number(event.cores),
        rssBytes: number(event.rssBytes),
        ...(isNumber(event.threads) ? { threads: event.threads } : {}),
        machineLoad: number(event.machineLoad),
        machineBytes: number(event.machineBytes),
        machineTotalBytes: number(event.machineTotalBytes),
        ...(Array.isArray(event.gpus) ? { gpus: event.gpus.slice(0, MOST_GPUS).map(gpuReport) } : {}),
      };
    case "checkpoint":
      if (event.kind !== "latest" && event.kind !== "best") return undefined;
      return { t, type: "checkpoint", kind: event.kind, epoch: number(event.epoch, 0), step: number(event.step, 0), path: text(event.path) };
    case "skip":
      return { t, type: "skip", id: text(event.id), stage: text(event.stage), message: text(event.message) };
    case "warning":
      return { t, type: "warning", message: text(event.message) };
    case "prediction":
      return { t, type: "prediction", id: text(event.id), path: text(event.path), seconds: number(event.seconds, 0) };
    case "evaluation":
      // The summary's own shape belongs to evaluation/summary.json, which the page reads when it shows it.
      return { t, type: "evaluation", path: text(event.path), summary: null };
    case "end":
      if (event.status !== "completed" && event.status !== "stopped" && event.status !== "failed") return undefined;
      return { t, type: "end", status: event.status, ...(event.message === undefined ? {} : { message: text(event.message) }) };
    default:
      return undefined;
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isCount(value: unknown): value is number {
  return isNumber(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

/** JSON has no NaN: writers put null for a loss that diverged. */
function number(value: unknown, otherwise = Number.NaN): number {
  return isNumber(value) ? value : otherwise;
}

function numbers(value: unknown): Record<string, number> {
  const result: Record<string, number> = Object.create(null);
  if (typeof value !== "object" || value === null) return result;
  let left = MOST_NAMES;
  for (const name in value) {
    if (left-- === 0) break;
    const entry = (value as Fields)[name];
    if (isNumber(entry)) result[name.length > 100 ? name.slice(0, 100) : name] = entry;
  }
  return result;
}

function text(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return "";
  return value.length > MOST_TEXT ? `${value.slice(0, MOST_TEXT)}…` : value;
}

function previewVolumes(value: unknown): Partial<Pick<Extract<RunEvent, { readonly type: "preview" }>, "volumes">> {
  if (typeof value !== "object" || value === null) return {};
  const { image, label, prediction } = value as Fields;
  return { volumes: { image: text(image), label: text(label), prediction: text(prediction) } };
}

function validatedCase(value: unknown): Extract<RunEvent, { readonly type: "cases" }>["cases"][number] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { id, dice, path } = value as Fields;
  return { id: text(id), dice: numbers(dice), ...(path === undefined ? {} : { path: text(path) }) };
}

function gpuReport(value: unknown): GpuReport {
  const card = (typeof value === "object" && value !== null ? value : {}) as Fields;
  const figures = ["load", "memoryBytes", "memoryTotalBytes", "celsius", "watts"].flatMap((key) => (isNumber(card[key]) ? [[key, card[key]]] : []));
  return { name: text(card.name), ...Object.fromEntries(figures) };
}

function stageReport(value: unknown): StageReport | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const stage = value as Fields;
  if (typeof stage.name !== "string") return undefined;
  return {
    name: text(stage.name),
    to: Array.isArray(stage.to) ? stage.to.slice(0, MOST_NAMES).map(text) : [],
    in: number(stage.in, 0),
    out: number(stage.out, 0),
    held: number(stage.held, 0),
    maxHeld: number(stage.maxHeld, 0),
    running: number(stage.running, 0),
    skipped: number(stage.skipped, 0),
    state: STATES.has(stage.state as string) ? (stage.state as StageReport["state"]) : "starved",
    busyMs: number(stage.busyMs, 0),
    blockedMs: number(stage.blockedMs, 0),
    starvedMs: number(stage.starvedMs, 0),
    workMs: number(stage.workMs, 0),
    ...(isNumber(stage.bytesIn) ? { bytesIn: stage.bytesIn } : {}),
    ...(isNumber(stage.bytesOut) ? { bytesOut: stage.bytesOut } : {}),
    ...(isNumber(stage.bytesHeld) ? { bytesHeld: stage.bytesHeld } : {}),
    knobs: numbers(stage.knobs),
    ...(stage.counters ? { counters: numbers(stage.counters) } : {}),
  };
}
