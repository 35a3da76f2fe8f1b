import type { BucketTable, BucketTableState } from "../../live/bucket-table.js";
import { BucketTable as Table } from "../../live/bucket-table.js";
import { bestScore, placeOf, type RunPlace, remainingSeconds } from "../../live/summarize-run.js";
import { Chart, type Curve, type ZoomRange } from "../charts/chart.js";
import { smooth } from "../charts/smooth.js";
import { getJson, runPath } from "../data/api-client.js";
import type { LiveRun } from "../data/live-run.js";
import { element, setText } from "../elements/element.js";
import { formatCount, formatDuration, formatMilliseconds, formatPercent, formatScore, formatValue } from "../elements/format.js";
import { recall, remember } from "../elements/theme.js";
import type { View } from "../view.js";

const SMOOTHING_KEY = "voxstream-smoothing";
const LOG_KEY = "voxstream-log";
const ZOOM_HINT = matchMedia("(pointer: coarse)").matches
  ? "Two fingers zoom, one moves, two taps show all."
  : "Drag to zoom, double-click to go back; or the keys + and −.";

/** Loss, metrics, learning rate and waiting time over the steps, and the numbers that matter now. */
export function trainingView(run: LiveRun): View {
  let smoothing = Number(recall(SMOOTHING_KEY) ?? 0.6);
  let isLog = recall(LOG_KEY) === "1";
  let range: ZoomRange | undefined;
  /** The zoomed part in finer buckets than the record's, once the server has read it. */
  let detail: BucketTable | undefined;

  const tiles = ["Epoch", "Step", "Loss", "Best score", "Time left", "Waiting for data", "Time per step"].map((name) => {
    const value = element("dd", { class: "tile-value" }, "–");
    const note = element("dd", { class: "tile-note" });
    return { name, value, note, tile: element("div", { class: "tile" }, element("dt", {}, name), value, note) };
  });
  const tile = (name: string, text: string, note = "") => {
    const found = tiles.find((entry) => entry.name === name)!;
    setText(found.value, text);
    setText(found.note, note);
  };

  const smoothingOutput = element("output", { class: "number" }, smoothing.toFixed(2));
  const controls = element(
    "div",
    { class: "controls", role: "group", "aria-label": "How curves are drawn" },
    element(
      "label",
      { class: "slider" },
      "Smoothing",
      element("input", {
        type: "range",
        min: 0,
        max: 0.98,
        step: 0.02,
        value: smoothing,
        oninput: (event) => {
          smoothing = Number((event.target as HTMLInputElement).value);
          setText(smoothingOutput, smoothing.toFixed(2));
          remember(SMOOTHING_KEY, String(smoothing));
          update();
        },
      }),
      smoothingOutput,
    ),
    element(
      "label",
      { class: "switch" },
      element("input", {
        type: "checkbox",
        checked: isLog,
        onchange: (event) => {
          isLog = (event.target as HTMLInputElement).checked;
          remember(LOG_KEY, isLog ? "1" : undefined);
          update();
        },
      }),
      "Log scale",
    ),
  );
  const reset = element("button", { type: "button", class: "button", onclick: () => zoom(undefined) }, "Show all steps");
  reset.hidden = true;
  controls.append(reset, element("span", { class: "hint" }, `Pale: single steps. Dashed: on training data. ${ZOOM_HINT}`));

  const shared = { axis: "step", sync: "steps", onZoom: zoom };
  const loss = new Chart({ ...shared, title: "Loss", format: formatValue, height: 300 });
  const metrics = new Chart({ ...shared, title: "Scores", format: formatScore, height: 300, hides: (label) => /\bbackground\b/.test(label) });
  const rate = new Chart({ ...shared, title: "Learning rate", format: formatValue, height: 180 });
  const time = new Chart({
    ...shared,
    title: "Time per step",
    format: formatMilliseconds,
    axisFormat: (ms: number) => (ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`),
    fromZero: true,
    height: 180,
  });
  const charts = [loss, metrics, rate, time];

  function zoom(to: ZoomRange | undefined): void {
    range = to && to.to - to.from >= 2 ? to : undefined;
    detail = undefined;
    reset.hidden = range === undefined;
    update();
    const asked = range;
    if (!asked || run.record.steps.width === 1) return;
    getJson<{ steps: BucketTableState | null }>(`${runPath(run.id, "series")}?from=${asked.from}&to=${asked.to}`).then(
      ({ steps }) => {
        if (range !== asked || !steps) return;
        detail = Table.fromJSON(steps);
        update();
      },
      (error: unknown) => console.warn("detail was not read:", error),
    );
  }

  function update(): void {
    const { record, summary } = run;
    const { step, epoch, start, epochs } = record;
    const total = start?.epochs;
    const best = bestScore(record);
    const place = placeOf(record);
    tile("Epoch", formatCount(place.epoch), total ? `of ${formatCount(total)}` : "");
    tile("Step", formatCount(place.step), stepNote(place, total, start?.resumedAtStep));
    tile(
      "Loss",
      formatValue(epoch?.loss ?? step?.loss),
      epoch?.validationLoss === undefined ? "training" : `validation ${formatValue(epoch.validationLoss)}`,
    );
    tile("Best score", formatScore(best?.value), best ? `${best.name}, epoch ${formatCount(best.epoch)}` : "");
    const left = record.end ? undefined : remainingSeconds(record, Date.now());
    const isOver = record.end !== undefined || summary?.state === "silent";
    tile(
      "Time left",
      isOver ? "–" : left === undefined ? "…" : formatDuration(Math.max(0, left)),
      isOver ? "not running" : left === undefined ? "after the first epoch" : endsAt(left),
    );
    tile("Waiting for data", formatPercent(epoch?.waitShare ?? waitShare(record.steps)), "goal: at most 5 %");
    tile("Time per step", formatMilliseconds(step?.stepMs), epoch ? `${formatDuration(epoch.seconds)} per epoch` : "");

    const steps = detail ?? record.steps;
    const options = { log: isLog, range };
    loss.update(lossCurves(steps, epochs), options);
    metrics.update(scoreCurves(steps, epochs), options);
    const learning = steps.points("learningRate");
    rate.update([{ label: "learning rate", color: "series-4", x: learning.x, y: learning.mean }], options);
    const taken = steps.points("stepMs");
    const waited = steps.points("waitMs");
    time.update(
      [
        { label: "whole step", color: "series-1", x: taken.x, y: smooth(taken.mean, smoothing) },
        { label: "waiting for the batch", color: "series-2", x: waited.x, y: smooth(waited.mean, smoothing) },
      ],
      { ...options, log: false },
    );
  }

  function lossCurves(steps: BucketTable, epochs: BucketTable): Curve[] {
    const raw = steps.points("loss");
    const band = steps.width > 1 ? { band: { min: raw.min, max: raw.max } } : {};
    const curves: Curve[] = [];
    if (smoothing > 0) curves.push({ label: "each step", color: "series-1", look: "faint", x: raw.x, y: raw.mean, ...band });
    curves.push({ label: "training", color: "series-1", x: raw.x, y: smooth(raw.mean, smoothing), ...(smoothing > 0 ? {} : band) });
    const validation = overSteps(epochs, "validationLoss");
    if (validation) curves.push({ label: "validation", color: "series-2", ...validation });
    if (raw.x.length === 0) {
      const perEpoch = overSteps(epochs, "loss");
      if (perEpoch) curves.push({ label: "training, per epoch", color: "series-1", ...perEpoch });
    }
    return curves;
  }

  function scoreCurves(steps: BucketTable, epochs: BucketTable): Curve[] {
    const columns = [...steps.names, ...epochs.names].filter((name) => name.includes("/"));
    const metrics = [...new Set(columns.map((name) => name.slice(name.indexOf("/") + 1)))].sort();
    // One color for each metric; what is measured on data that is also trained on is dashed.
    return metrics.flatMap((metric, i): Curve[] => {
      const curves: Curve[] = [];
      const hue = `series-${(i % 8) + 1}`;
      const label = spaced(metric);
      const validation = overSteps(epochs, `validation/${metric}`);
      if (validation) curves.push({ label, color: hue, ...validation });
      const points = steps.points(`metric/${metric}`);
      const training = points.x.length > 0 ? { x: points.x, y: smooth(points.mean, smoothing) } : overSteps(epochs, `metric/${metric}`);
      if (training) curves.push({ label: `${label}, training`, color: hue, look: "dashed", ...training });
      return curves;
    });
  }

  update();
  return {
    element: element(
      "div",
      { class: "view" },
      element(
        "dl",
        { class: "tiles" },
        tiles.map(({ tile: box }) => box),
      ),
      controls,
      element(
        "div",
        { class: "charts" },
        charts.map((chart) => chart.element),
      ),
    ),
    update,
    destroy: () => {
      for (const chart of charts) chart.destroy();
    },
  };
}

/** An epoch column at the steps at which the epochs ended. */
function overSteps(epochs: BucketTable, name: string): { x: number[]; y: number[] } | undefined {
  const at = epochs.points("step");
  const column = epochs.points(name);
  if (column.x.length === 0) return undefined;
  const stepOf = new Map(at.x.map((epoch, i) => [epoch, at.max[i]!]));
  return { x: column.x.map((epoch) => stepOf.get(epoch) ?? epoch), y: [...column.mean] };
}

function waitShare(steps: BucketTable): number | undefined {
  const waited = steps.points("waitMs").mean;
  const taken = steps.points("stepMs").mean;
  if (taken.length === 0) return undefined;
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return sum(waited) / Math.max(1e-9, sum(taken) + sum(waited));
}

/** How far the epoch is, and where this session began. */
function stepNote({ inEpoch, perEpoch }: RunPlace, epochs: number | undefined, resumedAt: number | undefined): string {
  const parts: string[] = [];
  if (inEpoch !== undefined && perEpoch !== undefined) parts.push(`${formatCount(inEpoch)} of ${formatCount(perEpoch)} in the epoch`);
  else if (perEpoch !== undefined && epochs !== undefined && epochs > 0) parts.push(`of ${formatCount(perEpoch * epochs)}`);
  if (resumedAt !== undefined) parts.push(`resumed at ${formatCount(resumedAt)}`);
  return parts.join(", ");
}

function endsAt(seconds: number): string {
  const end = new Date(Date.now() + Math.max(0, seconds) * 1000);
  return `until ${end.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
}

function spaced(name: string): string {
  return name.replaceAll("_", " ");
}
