import { RunRecord } from "../../live/run-record.js";
import type { RunSnapshot } from "../../live/watched-run.js";
import { Chart } from "../charts/chart.js";
import { drawRunCurves, lossColumn } from "../charts/run-curves.js";
import { getJson, runPath } from "../data/api-client.js";
import { callEvery } from "../data/call-every.js";
import { element, setText } from "../elements/element.js";
import { formatPlural, formatScore, formatValue } from "../elements/format.js";
import type { View } from "../view.js";

const REFRESH_MS = 5000;

/** One curve per run of any value that they record, over the epochs. */
export function compareView(ids: readonly string[]): View {
  const problem = element("p", { class: "problem", role: "alert" });
  const choice = element("select", { "aria-label": "Value to compare", onchange: () => draw() });
  const loss = new Chart({ title: "Loss", axis: "epoch", format: formatValue, height: 320 });
  const score = new Chart({ title: "Chosen value", axis: "epoch", format: formatScore, height: 320 });
  const root = element(
    "div",
    { class: "view" },
    element(
      "div",
      { class: "page-head" },
      element("div", {}, element("h1", {}, "Compare"), element("span", { class: "hint" }, `${formatPlural(ids.length, "run")}, over the epochs`)),
      element("div", { class: "controls" }, element("label", { class: "select" }, "Value", choice)),
    ),
    problem,
    element("div", { class: "charts one" }, score.element, loss.element),
  );
  let runs: readonly { readonly label: string; readonly record: RunRecord }[] = [];

  async function load(isEnded: () => boolean): Promise<void> {
    const answers = await Promise.allSettled(ids.map((id) => getJson<RunSnapshot>(runPath(id))));
    if (isEnded()) return;
    const lost = ids.filter((_, i) => answers[i]!.status === "rejected");
    setText(problem, lost.length > 0 ? `Not found or not reachable: ${lost.join(", ")}` : "");
    runs = answers.flatMap((answer, i) =>
      answer.status === "fulfilled" ? [{ label: ids[i]!, record: RunRecord.fromJSON(answer.value.record) }] : [],
    );
    const names = [...new Set(runs.flatMap(({ record }) => record.epochs.names))]
      .filter((name) => name !== "step")
      .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
    const before = choice.value;
    if (names.join() !== [...choice.options].map(({ value }) => value).join()) {
      choice.replaceChildren(...names.map((name) => element("option", { value: name }, words(name))));
      if (names.includes(before)) choice.value = before;
    }
    draw();
  }

  function draw(): void {
    score.rename(choice.value ? words(choice.value) : "Chosen value");
    drawRunCurves(score, runs, ({ epochs }) => (epochs.names.includes(choice.value) ? choice.value : undefined));
    drawRunCurves(loss, runs, lossColumn);
  }

  const end = callEvery(REFRESH_MS, load);
  return {
    element: root,
    update: () => draw(),
    destroy: () => {
      end();
      loss.destroy();
      score.destroy();
    },
  };
}

function rank(name: string): number {
  return name.startsWith("validation/") ? 0 : name.startsWith("metric/") ? 1 : 2;
}

function words(name: string): string {
  const slash = name.indexOf("/");
  if (slash > 0) return `${name.slice(slash + 1).replaceAll("_", " ")} (${name.startsWith("validation/") ? "validation" : "training"})`;
  return (
    {
      validationLoss: "Validation loss",
      loss: "Training loss",
      learningRate: "Learning rate",
      waitShare: "Waiting share",
      seconds: "Seconds per epoch",
    }[name] ?? name
  );
}
