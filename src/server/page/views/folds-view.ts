import { RunRecord } from "../../live/run-record.js";
import type { RunSummary } from "../../live/summarize-run.js";
import type { RunSnapshot } from "../../live/watched-run.js";
import { Chart, type Curve } from "../charts/chart.js";
import { getJson, runPath } from "../data/api-client.js";
import { element, setText } from "../elements/element.js";
import { formatCount, formatDuration, formatPlural, formatScore, formatValue } from "../elements/format.js";
import { statePill } from "../elements/run-state.js";
import { type Evaluation, evaluationPanel } from "../panels/evaluation-panel.js";
import type { View } from "../view.js";
import { runAddress } from "./runs-view.js";

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
  const scoreHead = score.element.querySelector("h3")!;
  const panel = evaluationPanel(evaluationOfAll);
  const heads = ["Fold", "State", "Epoch", "Loss", "Best score", "Time left", "Held-out cases predicted"];
  const root = element(
    "div",
    { class: "view folds-page" },
    element("div", { class: "page-head" }, element("div", {}, element("h1", {}, name), count)),
    problem,
    element(
      "section",
      { class: "card flush", "aria-label": "Folds" },
      element(
        "div",
        { class: "table-scroll" },
        element(
          "table",
          { class: "responsive" },
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              heads.map((head, i) => element("th", { scope: "col", class: i >= 2 ? "right" : "" }, head)),
            ),
          ),
          body,
        ),
      ),
    ),
    element("div", { class: "charts" }, loss.element, score.element),
    element("h2", { class: "section-title" }, "Held-out cases of all folds"),
    panel.element,
  );
  let folds: readonly RunSummary[] = [];
  let evaluated = "";
  let isClosed = false;

  async function load(): Promise<void> {
    if (document.hidden && folds.length > 0) return;
    try {
      const { runs } = await getJson<{ runs: RunSummary[] }>("api/runs");
      if (isClosed) return;
      folds = runs.filter(({ id }) => id.startsWith(`${name}/fold-`)).sort((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }));
      const answers = await Promise.allSettled(folds.map(({ id }) => getJson<RunSnapshot>(runPath(id))));
      if (isClosed) return;
      const records = new Map(
        answers.flatMap((answer, i) => (answer.status === "fulfilled" ? [[folds[i]!.id, RunRecord.fromJSON(answer.value.record)] as const] : [])),
      );
      setText(problem, folds.length === 0 ? "There are no folds of this name." : "");
      draw(records);
    } catch (error) {
      if (!isClosed) setText(problem, `The folds could not be read: ${error instanceof Error ? error.message : String(error)}. Trying again.`);
    }
  }

  function draw(records: ReadonlyMap<string, RunRecord>): void {
    const done = folds.filter(({ state }) => state === "completed").length;
    setText(count, `Cross-validation, ${formatPlural(folds.length, "fold")}, ${formatCount(done)} trained`);
    body.replaceChildren(...folds.map((fold) => row(fold, records.get(fold.id)?.predictions.count ?? 0)));
    const curves = (column: (record: RunRecord) => string | undefined): Curve[] =>
      folds.slice(0, MOST_CURVES).flatMap(({ id }, i): Curve[] => {
        const record = records.get(id);
        const found = record && column(record);
        if (!record || found === undefined) return [];
        const { x, mean } = record.epochs.points(found);
        return [{ label: foldName(id), color: `series-${(i % 8) + 1}`, x, y: mean, ...(i >= 8 ? { look: "dashed" as const } : {}) }];
      });
    const options = { log: false, range: undefined };
    loss.update(
      curves(({ epochs }) => (epochs.names.includes("validationLoss") ? "validationLoss" : "loss")),
      options,
    );
    const best = folds.find((fold) => fold.best)?.best;
    const wanted = best && `${best.isValidation ? "validation" : "metric"}/${best.name}`;
    setText(scoreHead, best ? `${best.name.replaceAll("_", " ")} (${best.isValidation ? "validation" : "training"})` : "Score");
    score.update(
      curves(({ epochs }) => epochs.names.find((column) => column === wanted)),
      options,
    );
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
    const tables = answers.flatMap(({ table }) => table ?? []);
    const [first] = tables;
    if (!first) return { table: null, summary: null };
    const alike = tables.filter(({ columns }) => columns.join("\t") === first.columns.join("\t"));
    return { table: { columns: first.columns, rows: alike.flatMap(({ rows }) => rows) }, summary: null };
  }

  const timer = setInterval(() => void load(), REFRESH_MS);
  void load();
  return {
    element: root,
    update: () => void load(),
    destroy: () => {
      isClosed = true;
      clearInterval(timer);
      panel.destroy();
      loss.destroy();
      score.destroy();
    },
  };
}

function foldName(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1).replace("-", " ");
}
