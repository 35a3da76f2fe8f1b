import type { ConfusionTables } from "../../cases/read-confusion.js";
import { RunRecord } from "../../live/run-record.js";
import type { RunSummary } from "../../live/summarize-run.js";
import type { RunSnapshot } from "../../live/watched-run.js";
import type { Evaluation } from "../../routes/read-evaluation.js";
import { Chart } from "../charts/chart.js";
import { drawRunCurves, lossColumn } from "../charts/run-curves.js";
import { getJson, runPath } from "../data/api-client.js";
import { callEvery } from "../data/call-every.js";
import { element, setText } from "../elements/element.js";
import { formatCount, formatDuration, formatPlural, formatScore, formatValue } from "../elements/format.js";
import { runAddress } from "../elements/run-address.js";
import { statePill } from "../elements/run-state.js";
import { table } from "../elements/table.js";
import { evaluationPanel } from "../panels/evaluation-panel.js";
import type { View } from "../view.js";

const REFRESH_MS = 4000;
/** Leave-one-out has as many folds as cases: beyond this the curves would be a tangle. */
const MOST_CURVES = 10;

/** The folds of a cross-validation together: how far each is, their curves, and the scores of all held-out cases. */
export function foldsView(name: string): View {
  const problem = element("p", { class: "problem", role: "alert" });
  const count = element("span", { class: "hint" });
  const body = element("tbody");
  const loss = new Chart({ title: "Loss", axis: "epoch", format: formatValue, height: 280 });
  const score = new Chart({ title: "Score", axis: "epoch", format: formatScore, height: 280 });
  /** The fold that holds each case out. */
  const foldOfCase = new Map<string, string>();
  const addressOf = (id: string) => {
    const fold = foldOfCase.get(id);
    return fold === undefined ? undefined : runAddress(fold, "volumes", id);
  };
  const panel = evaluationPanel({ ask: evaluationOfAll, addressOf });
  const heads = ["Fold", "State", "Epoch", "Loss", "Best score", "Time left", "Held-out cases predicted"];
  const root = element(
    "div",
    { class: "view folds-page" },
    element("div", { class: "page-head" }, element("div", {}, element("h1", {}, name), count)),
    problem,
    element("section", { class: "card flush", "aria-label": "Folds" }, table({ heads, numbers: [2, 3, 4, 5, 6] }, body)),
    element("div", { class: "charts" }, loss.element, score.element),
    element("h2", { class: "section-title" }, "Held-out cases of all folds"),
    panel.element,
  );
  let folds: readonly RunSummary[] = [];
  let evaluated = "";

  async function load(isEnded: () => boolean): Promise<void> {
    try {
      const { runs } = await getJson<{ runs: RunSummary[] }>("api/runs");
      if (isEnded()) return;
      folds = runs.filter(({ id }) => id.startsWith(`${name}/fold-`)).sort((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }));
      const answers = await Promise.allSettled(folds.map(({ id }) => getJson<RunSnapshot>(runPath(id))));
      if (isEnded()) return;
      const records = new Map(
        answers.flatMap((answer, i) => (answer.status === "fulfilled" ? [[folds[i]!.id, RunRecord.fromJSON(answer.value.record)] as const] : [])),
      );
      setText(problem, folds.length === 0 ? "There are no folds of this name." : "");
      draw(records);
    } catch (error) {
      if (!isEnded()) setText(problem, `The folds could not be read: ${error instanceof Error ? error.message : String(error)}. Trying again.`);
    }
  }

  function draw(records: ReadonlyMap<string, RunRecord>): void {
    const done = folds.filter(({ state }) => state === "completed").length;
    setText(count, `Cross-validation, ${formatPlural(folds.length, "fold")}, ${formatCount(done)} trained`);
    body.replaceChildren(...folds.map((fold) => row(fold, records.get(fold.id)?.predictions.count ?? 0)));
    const shown = folds.slice(0, MOST_CURVES).flatMap(({ id }) => {
      const record = records.get(id);
      return record ? [{ label: foldName(id), record }] : [];
    });
    drawRunCurves(loss, shown, lossColumn);
    const best = folds.find((fold) => fold.best)?.best;
    const wanted = best && `${best.isValidation ? "validation" : "metric"}/${best.name}`;
    score.rename(best ? `${best.name.replaceAll("_", " ")} (${best.isValidation ? "validation" : "training"})` : "Score");
    drawRunCurves(score, shown, ({ epochs }) => epochs.names.find((column) => column === wanted));
    const now = [...records.values()].map(({ evaluation }) => evaluation?.t ?? "").join(" ");
    if (now === evaluated) return;
    evaluated = now;
    panel.load();
  }

  function row({ id, state, progress, epoch, epochs, loss: value, best, remainingSeconds }: RunSummary, predicted: number): HTMLElement {
    const cell = (label: string, kind: string, ...children: (Node | string)[]) => element("td", { "data-label": label, class: kind }, ...children);
    return element(
      "tr",
      { class: state },
      element("th", { scope: "row" }, element("a", { href: runAddress(id), class: "run-name" }, foldName(id))),
      cell("State", "", statePill(progress < 1 ? "reading" : state)),
      cell("Epoch", "right number", epoch === undefined ? "–" : `${formatCount(epoch)}${epochs ? ` / ${formatCount(epochs)}` : ""}`),
      cell("Loss", "right number", formatValue(value)),
      cell("Best score", "right number", formatScore(best?.value)),
      cell("Time left", "right number", state === "running" ? formatDuration(remainingSeconds) : "–"),
      cell("Predicted", "right number", formatCount(predicted)),
    );
  }

  /** The tables of all folds as one: every case is held out once. */
  async function evaluationOfAll(): Promise<Evaluation> {
    const answers = await Promise.all(folds.map(({ id }) => getJson<Evaluation>(runPath(id, "evaluation"))));
    const tables = answers.flatMap(({ table: own }) => own ?? []);
    const [first] = tables;
    if (!first) return { table: null, summary: null, confusion: null };
    const at = first.columns.indexOf("case");
    for (const [i, { table: own }] of answers.entries()) for (const cells of own?.rows ?? []) foldOfCase.set(cells[at] ?? "", folds[i]!.id);
    const alike = tables.filter(({ columns }) => columns.join("\t") === first.columns.join("\t"));
    return {
      table: { columns: first.columns, rows: alike.flatMap(({ rows }) => rows) },
      // Of several folds together there is none.
      summary: null,
      confusion: confusionOfAll(answers.flatMap(({ confusion }) => confusion ?? [])),
    };
  }

  const end = callEvery(REFRESH_MS, load);
  return {
    element: root,
    update: () => {},
    destroy: () => {
      end();
      panel.destroy();
      loss.destroy();
      score.destroy();
    },
  };
}

/** Those of all folds added up; none when a fold knows other classes. */
function confusionOfAll(tables: readonly ConfusionTables[]): ConfusionTables | null {
  const [first] = tables;
  if (!first || tables.some(({ classes }) => classes.join("\n") !== first.classes.join("\n"))) return null;
  const confusion = first.classes.map((_, truth) =>
    first.classes.map((__, predicted) => tables.reduce((sum, own) => sum + own.confusion[truth]![predicted]!, 0)),
  );
  // In a repeated cross-validation each case is held out several times.
  const cases = new Map<string, readonly (readonly number[])[]>();
  for (const { id, confusion: own } of tables.flatMap((table) => table.cases)) {
    const before = cases.get(id);
    cases.set(id, before ? before.map((row, truth) => row.map((count, predicted) => count + own[truth]![predicted]!)) : own);
  }
  return { classes: first.classes, confusion, cases: [...cases].map(([id, own]) => ({ id, confusion: own })) };
}

function foldName(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1).replace("-", " ");
}
