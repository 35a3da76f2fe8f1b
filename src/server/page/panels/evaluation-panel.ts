import type { Table } from "../../files/parse-tsv.js";
import type { Evaluation } from "../../routes/read-evaluation.js";
import { drawBoxPlot } from "../charts/box-plot.js";
import { type CaseScores, caseScores, metricKind } from "../data/case-scores.js";
import { card } from "../elements/card.js";
import { element, setText } from "../elements/element.js";
import { formatCount, formatPercent, formatPlural } from "../elements/format.js";
import { table } from "../elements/table.js";
import { confusionPanel } from "./confusion-panel.js";
import { metricDecimals, metricTitle } from "./metric-text.js";
import { type ScoreSort, scoreTable } from "./score-table.js";
import { summaryPanel } from "./summary-panel.js";

export interface EvaluationPanelOptions {
  /** Reads the scores again. */
  readonly ask: () => Promise<Evaluation>;
  /** Where a case can be looked at. */
  readonly addressOf?: (id: string) => string | undefined;
}

const MOST_ROWS = 1000;

/** The scores of every case by class, worst first, with their spread, what was taken for what, and the summary. */
export function evaluationPanel({ ask, addressOf }: EvaluationPanelOptions): { readonly element: HTMLElement; load(): void; destroy(): void } {
  const empty = element("p", { class: "empty" });
  const choice = element("select", { "aria-label": "Metric", onchange: () => draw() });
  const spread = element("div", { class: "spreads" });
  const voxels = element("div", { class: "spreads" });
  const marks = ["right", "too many", "missed"].map((word, i) => element("span", { class: `key ${["tp", "fp", "fn"][i]}` }, word));
  const voxelCard = card("Voxels by class, all cases", { name: "Voxels by class", beside: element("div", { class: "state-legend" }, marks) }, voxels);
  const scoreBox = element("div");
  const count = element("span", { class: "hint" });
  const legend = element("span", { class: "hint" }, "box: middle half of the cases · line: median · dots: cases");
  const spreadCard = card("Spread over the cases", { name: "Spread of the scores", beside: legend }, spread);
  const confusion = confusionPanel();
  const summary = summaryPanel();
  const content = element(
    "div",
    { class: "stack" },
    element("div", { class: "controls" }, element("label", { class: "select" }, "Metric", choice)),
    spreadCard,
    card("Cases", { name: "Scores per case", beside: count }, scoreBox),
    confusion.element,
    voxelCard,
    summary.element,
  );
  let read: Evaluation | undefined;
  let scores: CaseScores | undefined;
  let sort: ScoreSort | undefined;
  let isClosed = false;

  function load(): void {
    ask().then(
      (answer) => {
        if (isClosed) return;
        read = answer;
        scores = answer.table ? caseScores(answer.table) : undefined;
        const before = choice.value;
        choice.replaceChildren(...(scores?.metrics ?? []).map((name) => element("option", { value: name }, metricTitle(name))));
        if (scores?.metrics.includes(before)) choice.value = before;
        confusion.show(answer.confusion);
        summary.show(answer.summary);
        draw();
      },
      (error: Error) => {
        empty.hidden = false;
        setText(empty, `The evaluation could not be read: ${error.message}`);
      },
    );
  }

  function draw(): void {
    if (!read) return;
    empty.hidden = read.table !== null || read.summary !== null;
    content.hidden = !empty.hidden;
    setText(empty, "Nothing has been evaluated yet. Scores per case appear here after the evaluation of the run.");
    choice.parentElement!.hidden = scores === undefined;
    spreadCard.hidden = scores === undefined;
    voxelCard.hidden = scores === undefined;
    if (!scores) {
      setText(count, "");
      scoreBox.replaceChildren(read.table ? plainTable(read.table) : element("p", { class: "hint" }, "There is no detailed.tsv."));
      return;
    }
    const metric = choice.value;
    setText(count, `${formatPlural(scores.cases.length, "case")}${scores.cases.length > MOST_ROWS ? `, ${formatCount(MOST_ROWS)} shown` : ""}`);
    spread.replaceChildren(...scores.classes.map((name) => spreadRow(scores!, name, metric)), ...spreadScale(scores, metric));
    voxels.replaceChildren(...scores.classes.map((name) => voxelRow(scores!, name)));
    const isSorting = scoreBox.contains(document.activeElement) ? document.activeElement?.getAttribute("title") : undefined;
    scoreBox.replaceChildren(
      scoreTable(scores, {
        metric,
        sort,
        most: MOST_ROWS,
        addressOf,
        onSort: (next) => {
          sort = next;
          draw();
        },
      }),
    );
    // The button that was pressed has been drawn anew: keep the keyboard's place.
    if (isSorting) [...scoreBox.querySelectorAll("button")].find(({ title }) => title === isSorting)?.focus();
  }

  content.hidden = true;
  return { element: element("div", { class: "view" }, empty, content), load, destroy: () => (isClosed = true) };
}

/** The axis of all box plots of a metric: between 0 and 1 for scores, up to the highest value of any class for distances. */
function rangeOf(scores: CaseScores, metric: string): readonly [number, number] {
  if (metricKind(metric).isScore) return [0, 1];
  const values = scores.classes.flatMap((name) => scores.cases.map((id) => scores.value(id, name, metric))).filter((value) => value !== undefined);
  return [Math.min(0, ...values), Math.max(0, ...values) * 1.05 || 1];
}

function spreadRow(scores: CaseScores, name: string, metric: string): HTMLElement {
  const values = scores.cases.map((id) => scores.value(id, name, metric));
  const { unit } = metricKind(metric);
  const write = metricDecimals(metric, values);
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const median = sorted.length === 0 ? undefined : (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  return element(
    "div",
    { class: "spread" },
    element("span", { class: "spread-name" }, name),
    drawBoxPlot(values, rangeOf(scores, metric), write),
    element("span", { class: "number spread-median" }, median === undefined ? "–" : `${write(median)}${unit ? ` ${unit}` : ""}`),
  );
}

/** What the ends and the middle of the axis stand for. */
function spreadScale(scores: CaseScores, metric: string): readonly HTMLElement[] {
  const [low, high] = rangeOf(scores, metric);
  const write = metricDecimals(metric, [low, high]);
  const marks = [low, (low + high) / 2, high].map((value) => element("span", {}, metricKind(metric).isScore ? String(value) : write(value)));
  return [element("div", { class: "spread scale", "aria-hidden": "true" }, element("span"), element("div", { class: "scale-marks number" }, marks))];
}

function voxelRow(scores: CaseScores, name: string): HTMLElement {
  const { tp, fp, fn } = scores.counts.get(name)!;
  const total = tp + fp + fn;
  const bar = element("div", {
    class: "shares wide",
    role: "img",
    "aria-label": `right ${formatCount(tp)}, too many ${formatCount(fp)}, missed ${formatCount(fn)} voxels`,
  });
  for (const [kind, value] of Object.entries({ tp, fp, fn })) {
    const part = element("span", { class: `share ${kind}`, title: `${formatCount(value)} voxels` });
    part.style.flexGrow = String(total > 0 ? value / total : 0);
    bar.append(part);
  }
  return element(
    "div",
    { class: "spread counts" },
    element("span", { class: "spread-name" }, name),
    bar,
    element(
      "span",
      { class: "number voxel-counts" },
      `${formatCount(tp)} right (${formatPercent(total > 0 ? tp / total : undefined)}), ${formatCount(fp)} too many, ${formatCount(fn)} missed`,
    ),
  );
}

/** A table of another make, as it stands. */
function plainTable({ columns, rows }: Table): HTMLElement {
  const lines = rows.slice(0, MOST_ROWS).map((row) =>
    element(
      "tr",
      {},
      row.map((text, i) => element(i === 0 ? "th" : "td", i === 0 ? { scope: "row" } : { "data-label": columns[i] }, text)),
    ),
  );
  return table({ heads: columns }, element("tbody", {}, lines));
}
