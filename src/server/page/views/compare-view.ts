import { RunRecord } from "../../live/run-record.js";
import type { RunSnapshot } from "../../live/watched-run.js";
import { Chart, type Curve } from "../charts/chart.js";
import { getJson, runPath } from "../data/api-client.js";
import { element, setText } from "../elements/element.js";
import { formatScore, formatValue } from "../elements/format.js";
import type { View } from "../view.js";

const REFRESH_MS = 5000;

/** One curve per run of any value that they record, over the epochs. */
export function compareView(ids: readonly string[]): View {
  const problem = element("p", { class: "problem", role: "alert" });
  const choice = element("select", { "aria-label": "Value to compare", onchange: () => draw() });
  const loss = new Chart({ title: "Loss", axis: "epoch", format: formatValue, height: 320 });
  const score = new Chart({ title: "Chosen value", axis: "epoch", format: formatScore, height: 320 });
  const scoreHead = score.element.querySelector("h3")!;
  const root = element(
    "div",
    { class: "view" },
    element(
      "div",
      { class: "page-head" },
      element("div", {}, element("h1", {}, "Compare"), element("span", { class: "hint" }, `${ids.length} runs, over the epochs`)),
      element("div", { class: "controls" }, element("label", { class: "select" }, "Value", choice)),
    ),
    problem,
    element("div", { class: "charts one" }, score.element, loss.element),
  );
  let records: readonly (readonly [string, RunRecord])[] = [];
  let isClosed = false;

  async function load(): Promise<void> {
    if (document.hidden && records.length > 0) return;
    const answers = await Promise.allSettled(ids.map((id) => getJson<RunSnapshot>(runPath(id))));
    if (isClosed) return;
    const lost = ids.filter((_, i) => answers[i]!.status === "rejected");
    setText(problem, lost.length > 0 ? `Not found or not reachable: ${lost.join(", ")}` : "");
    records = answers.flatMap((answer, i) => (answer.status === "fulfilled" ? [[ids[i]!, RunRecord.fromJSON(answer.value.record)] as const] : []));
    const names = [...new Set(records.flatMap(([, { epochs }]) => epochs.names))]
      .filter((name) => name !== "step")
      .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
    const before = choice.value;
    if (names.join() !== [...choice.options].map(({ value }) => value).join()) {
      choice.replaceChildren(...names.map((name) => element("option", { value: name }, words(name))));
      if (names.includes(before)) choice.value = before;
    }
    draw();
  }

  function curves(column: (record: RunRecord) => string | undefined): Curve[] {
    return records.flatMap(([id, record], i): Curve[] => {
      const name = column(record);
      if (name === undefined) return [];
      const { x, mean } = record.epochs.points(name);
      return [{ label: id, color: `series-${(i % 8) + 1}`, x, y: mean }];
    });
  }

  function draw(): void {
    const options = { log: false, range: undefined };
    setText(scoreHead, choice.value ? words(choice.value) : "Chosen value");
    score.update(
      curves(({ epochs }) => (epochs.names.includes(choice.value) ? choice.value : undefined)),
      options,
    );
    loss.update(
      curves(({ epochs }) => (epochs.names.includes("validationLoss") ? "validationLoss" : "loss")),
      options,
    );
  }

  const timer = setInterval(() => void load(), REFRESH_MS);
  void load();
  return {
    element: root,
    update: () => void load(),
    destroy: () => {
      isClosed = true;
      clearInterval(timer);
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
