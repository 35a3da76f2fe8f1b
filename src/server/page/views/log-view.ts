import type { Json } from "../../../core/json.js";
import type { GpuReport } from "../../../core/run-events.js";
import type { SystemState } from "../../routes/read-system.js";
import { machineCharts } from "../charts/machine-charts.js";
import { getJson, runPath } from "../data/api-client.js";
import type { LiveRun } from "../data/live-run.js";
import { card } from "../elements/card.js";
import { element, setText } from "../elements/element.js";
import { formatBytes, formatCount, formatDuration, formatMoment, formatPercent, formatPlural, formatScore, formatValue } from "../elements/format.js";
import { jsonTree } from "../elements/json-tree.js";
import type { View } from "../view.js";

interface Line {
  readonly t: number;
  readonly kind: "start" | "end" | "failed" | "warning" | "skip" | "checkpoint" | "epoch" | "prediction" | "control";
  readonly title: string;
  readonly text: string;
}

const SYSTEM_MS = 5000;

/** What happened, newest first; the manifest; the machine that shows this page. */
export function logView(run: LiveRun): View {
  const lines = element("ol", { class: "log" });
  const count = element("span", { class: "hint" });
  const manifest = element("div");
  const system = element("dl", { class: "json" });
  const facts = element("dl", { class: "json" });
  const charts = machineCharts(run);
  let seen = "";
  let manifestOf = -1;
  let read: Json = null;
  let isClosed = false;

  function update(): void {
    const { record, summary } = run;
    charts.update();
    drawFacts();
    const now = [
      record.warnings.count,
      record.skips.count,
      record.predictions.count,
      record.finished.count,
      record.controls.count,
      record.latest?.t,
      record.best?.t,
      record.start?.t,
      record.end?.t,
      run.generation,
    ].join(" ");
    if (now !== seen) {
      seen = now;
      const all = logLines(run);
      lines.replaceChildren(
        ...(all.length > 0 ? all.map(row) : [element("li", { class: "empty" }, "Nothing to report: no warnings, no skipped samples.")]),
      );
      const parts = [
        formatPlural(record.warnings.count, "warning"),
        formatPlural(record.skips.count, "skipped sample"),
        formatPlural(record.events, "event"),
      ];
      if (summary && summary.corruptLines > 0) parts.push(formatPlural(summary.corruptLines, "unreadable line"));
      setText(count, parts.join(" · "));
    }
    if (manifestOf !== run.generation && run.generation > 0) {
      manifestOf = run.generation;
      getJson<{ manifest: Json }>(runPath(run.id, "manifest")).then(
        (answer) => {
          read = answer.manifest;
          drawFacts();
          manifest.replaceChildren(
            answer.manifest === null
              ? element("p", { class: "hint" }, "The run has no manifest.json, or it is not complete yet.")
              : jsonTree(answer.manifest),
          );
        },
        (error: Error) => manifest.replaceChildren(element("p", { class: "problem" }, `The manifest could not be read: ${error.message}`)),
      );
    }
  }

  /** What is asked for first when a run is slow or not to be repeated: engine, threads, workers, versions. */
  function drawFacts(): void {
    const { start, system: use } = run.record;
    const { engine, machine, config, versions } = fieldsOf(read);
    const wanted: (readonly [string, unknown])[] = [
      [
        "Engine",
        [fieldsOf(engine).name ?? start?.engine, fieldsOf(engine).threads && formatPlural(Number(fieldsOf(engine).threads), "thread")]
          .filter(Boolean)
          .join(", "),
      ],
      ["Worker threads", fieldsOf(config).workers],
      ["Threads of the process", use?.threads],
      ["Process", start?.pid],
      [
        "Processor",
        [fieldsOf(machine).cpu, fieldsOf(machine).cores && formatPlural(Number(fieldsOf(machine).cores), "core")].filter(Boolean).join(", "),
      ],
      ["Memory of the training", use && formatBytes(use.rssBytes)],
      ...(use?.gpus ?? []).map((card, i) => [`Card ${i}`, gpuText(card)] as const),
      [
        "Versions",
        Object.entries(fieldsOf(versions))
          .map(([name, version]) => `${name} ${text(version)}`)
          .join(", "),
      ],
    ];
    const rows = wanted.filter(([, value]) => value !== undefined && value !== "" && value !== null);
    const key = JSON.stringify(rows);
    if (facts.dataset.key === key) return;
    facts.dataset.key = key;
    facts.replaceChildren(
      ...rows.map(([name, value]) => element("div", { class: "json-entry" }, element("dt", {}, name), element("dd", {}, text(value)))),
    );
  }

  function showSystem(): void {
    if (document.hidden) return;
    getJson<SystemState>("api/system").then(
      (state) => {
        if (isClosed) return;
        const entries = [
          ["Host", state.host],
          ["Processor", `${state.cpu}, ${state.cores} cores`],
          ["Load, last minute", state.load.toFixed(2)],
          ["Memory", `${formatBytes(state.memoryInUse)} of ${formatBytes(state.memoryBytes)} in use`],
          ...state.gpus.map((card, i) => [`Card ${i}`, gpuText(card)] as const),
          ["Its process uses", formatBytes(state.serverBytes)],
          ["Dashboard runs for", formatDuration(state.upSeconds)],
          ["Node", state.node],
        ];
        system.replaceChildren(
          ...entries.map(([name, value]) =>
            element("div", { class: "json-entry" }, element("dt", {}, name), element("dd", { class: "number" }, value)),
          ),
        );
      },
      () => system.replaceChildren(element("p", { class: "hint" }, "The dashboard's server cannot be reached.")),
    );
  }

  const timer = setInterval(showSystem, SYSTEM_MS);
  showSystem();
  update();
  return {
    element: element(
      "div",
      { class: "view two-columns" },
      element("div", { class: "stack" }, charts.element, card("Log", { beside: count }, lines)),
      element(
        "div",
        { class: "stack" },
        card("The training", {}, facts),
        card("Machine of this dashboard", { name: "This machine" }, system),
        card("Manifest", {}, manifest),
      ),
    ),
    update,
    destroy: () => {
      isClosed = true;
      charts.destroy();
      clearInterval(timer);
    },
  };
}

const COMMANDS = {
  pause: "Paused",
  resume: "Resumed",
  stop: "Told to stop",
  checkpoint: "Told to save",
  samples: "Told to show its samples",
} as const;

function gpuText({ name, load, memoryBytes, memoryTotalBytes, celsius, watts }: GpuReport): string {
  const parts = [name];
  if (load !== undefined) parts.push(`${formatPercent(load)} busy`);
  if (memoryBytes !== undefined)
    parts.push(`${formatBytes(memoryBytes)}${memoryTotalBytes === undefined ? "" : ` of ${formatBytes(memoryTotalBytes)}`}`);
  if (celsius !== undefined) parts.push(`${celsius} °C`);
  if (watts !== undefined) parts.push(`${Math.round(watts)} W`);
  return parts.join(", ");
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function logLines({ record }: LiveRun): Line[] {
  const { start, end, latest, best, warnings, skips, finished, predictions, controls } = record;
  const lines: Line[] = [];
  // Later kinds first: sorting keeps this order among events of the same moment.
  if (end)
    lines.push({
      t: end.t,
      kind: end.status === "failed" ? "failed" : "end",
      title: { completed: "Completed", stopped: "Stopped", failed: "Failed" }[end.status],
      text: end.message ?? "",
    });
  lines.push(
    ...predictions.last.toReversed().map(
      (event): Line => ({
        t: event.t,
        kind: "prediction",
        title: `Predicted ${event.id}`,
        text: `in ${formatDuration(event.seconds)}, ${event.path.split(/[\\/]/).slice(-2).join("/")}`,
      }),
    ),
    ...skips.last
      .toReversed()
      .map((event): Line => ({ t: event.t, kind: "skip", title: `Skipped ${event.id}`, text: `in ${event.stage}: ${event.message}` })),
    ...controls.last
      .toReversed()
      .map(
        (event): Line => ({ t: event.t, kind: "control", title: COMMANDS[event.command], text: `on request, after step ${formatCount(event.step)}` }),
      ),
    ...warnings.last.toReversed().map((event): Line => ({ t: event.t, kind: "warning", title: "Warning", text: event.message })),
  );
  for (const event of finished.last.toReversed()) {
    const parts = [`loss ${formatValue(event.loss)}`];
    if (event.validationLoss !== undefined) parts.push(`validation ${formatValue(event.validationLoss)}`);
    for (const [name, value] of Object.entries(event.validationMetrics ?? event.metrics).slice(0, 4)) {
      parts.push(`${name.replaceAll("_", " ")} ${formatScore(value)}`);
    }
    lines.push({
      t: event.t,
      kind: "epoch",
      title: `Epoch ${formatCount(event.epoch)}`,
      text: `${parts.join(", ")}; ${formatDuration(event.seconds)}`,
    });
  }
  for (const checkpoint of [latest, best]) {
    if (checkpoint)
      lines.push({
        t: checkpoint.t,
        kind: "checkpoint",
        title: checkpoint.kind === "best" ? "Best checkpoint" : "Latest checkpoint",
        text: `epoch ${formatCount(checkpoint.epoch)}, step ${formatCount(checkpoint.step)}, ${checkpoint.path}`,
      });
  }
  if (start)
    lines.push({
      t: start.t,
      kind: "start",
      title: start.resumedAtStep === undefined ? "Started" : `Resumed at step ${formatCount(start.resumedAtStep)}`,
      text: `engine ${start.engine}, seed ${start.seed}, process ${start.pid}`,
    });
  return lines.sort((a, b) => b.t - a.t);
}

function row({ t, kind, title, text }: Line): HTMLElement {
  return element(
    "li",
    { class: `log-line ${kind}` },
    element("time", { class: "number", datetime: new Date(t).toISOString() }, formatMoment(t)),
    element("div", {}, element("span", { class: "log-title" }, title), element("span", { class: "log-text" }, text)),
  );
}
