import type { Json } from "../../../core/json.js";
import type { SystemState } from "../../routes/read-system.js";
import { getJson, runPath } from "../api-client.js";
import { element, setText } from "../element.js";
import { formatBytes, formatCount, formatDate, formatDuration, formatPlural, formatScore, formatValue } from "../format.js";
import { jsonTree } from "../json-tree.js";
import type { LiveRun } from "../live-run.js";
import type { View } from "../view.js";

interface Line {
  readonly t: number;
  readonly kind: "start" | "end" | "failed" | "warning" | "skip" | "checkpoint" | "epoch" | "prediction";
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
  let seen = "";
  let manifestOf = -1;
  let isClosed = false;

  function update(): void {
    const { record, summary } = run;
    const now = [
      record.warnings.count,
      record.skips.count,
      record.predictions.count,
      record.finished.count,
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
        (answer) =>
          manifest.replaceChildren(
            answer.manifest === null
              ? element("p", { class: "hint" }, "The run has no manifest.json, or it is not complete yet.")
              : jsonTree(answer.manifest),
          ),
        (error: Error) => manifest.replaceChildren(element("p", { class: "problem" }, `The manifest could not be read: ${error.message}`)),
      );
    }
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
          ["Memory", formatBytes(state.memoryBytes)],
          ["Dashboard uses", formatBytes(state.serverBytes)],
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
      element("section", { class: "card", "aria-label": "Log" }, element("div", { class: "card-head" }, element("h3", {}, "Log"), count), lines),
      element(
        "div",
        { class: "stack" },
        element("section", { class: "card", "aria-label": "Manifest" }, element("h3", {}, "Manifest"), manifest),
        element("section", { class: "card", "aria-label": "This machine" }, element("h3", {}, "Machine of this dashboard"), system),
      ),
    ),
    update,
    destroy: () => {
      isClosed = true;
      clearInterval(timer);
    },
  };
}

function logLines({ record }: LiveRun): Line[] {
  const { start, end, latest, best, warnings, skips, finished, predictions } = record;
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
    element("time", { class: "number", datetime: new Date(t).toISOString() }, formatDate(t)),
    element("div", {}, element("span", { class: "log-title" }, title), element("span", { class: "log-text" }, text)),
  );
}
