import type { GraphName } from "../../live/run-record.js";
import { drawPipeline } from "../charts/pipeline-drawing.js";
import { sparkline } from "../charts/sparkline.js";
import type { LiveRun } from "../data/live-run.js";
import { bottleneck, type StageActivity, stageActivity } from "../data/stage-activity.js";
import { card } from "../elements/card.js";
import { element, setText } from "../elements/element.js";
import { formatAgo, formatBytes, formatCount, formatPercent, formatRate } from "../elements/format.js";
import { table } from "../elements/table.js";
import { pipelineFacts } from "../panels/pipeline-facts.js";
import type { View } from "../view.js";

const STATE_WORDS = { busy: "busy", blocked: "blocked", starved: "starved", done: "done" } as const;
const GRAPH_WORDS: Readonly<Record<GraphName, string>> = { training: "Training", validation: "Validation", prediction: "Prediction" };

/** The stages of the graph: drawn, and as a table with throughput, queue, and the shares of busy, blocked and starved time. */
export function pipelineView(run: LiveRun): View {
  const verdict = element("p", { class: "verdict", role: "status" });
  const memoryText = element("p", { class: "memory-text number" });
  const memoryBar = element("div", { class: "meter-fill" });
  const meter = element("div", { class: "meter", role: "meter", "aria-label": "Memory in use", "aria-valuemin": 0, "aria-valuemax": 100 }, memoryBar);
  const memorySpark = element("div", { class: "memory-spark" });
  const drawing = element("div", { class: "pipeline-drawing" });
  const body = element("tbody");
  const age = element("span", { class: "hint" });
  const choice = element("div", { class: "segments", role: "group", "aria-label": "Graph" });
  const facts = element("dl", { class: "pipeline-facts" });
  const skipped = element("tbody");
  const skippedCount = element("span", { class: "hint" });
  const skippedCard = card(
    "Samples that were left out",
    { beside: skippedCount },
    table({ heads: ["Sample", "Stage", "Reason"], kind: "responsive reasons" }, skipped),
  );
  const heads = ["Stage", "State", "Items/s", "In", "Out", "Queue", "Time, last seconds", "Skipped", "Settings and counts"];
  const content = element(
    "div",
    { class: "stack" },
    choice,
    element(
      "div",
      { class: "pipeline-top" },
      card("Where the time goes", { name: "Verdict", beside: age }, verdict, facts),
      card("Pooled memory", { name: "Memory" }, memoryText, meter, memorySpark),
    ),
    card(
      "Graph",
      { name: "The graph", beside: stateLegend() },
      drawing,
      element(
        "p",
        { class: "hint" },
        "In each box: items per second, and how many it holds of how many it may. Upper bar: how full it is. Lower bar: its time.",
      ),
    ),
    card("Stages", {}, table({ heads, numbers: [2, 3, 4, 7], kind: "stages-table responsive" }, body)),
    skippedCard,
  );
  const empty = element("p", { class: "empty" }, "The pipeline has not reported yet. Its stages appear here as soon as the graph runs.");
  const root = element("div", { class: "view" }, empty, content);
  const observer = new ResizeObserver(() => update());
  observer.observe(drawing);
  let drawnAt = "";
  let chosen: GraphName = "training";

  /** A run may drive several graphs; one that only trains needs no choice. */
  function showChoice(names: readonly GraphName[], shown: GraphName): void {
    choice.hidden = names.length < 2;
    const key = `${names} ${shown}`;
    if (choice.dataset.key === key) return;
    choice.dataset.key = key;
    // The button that was pressed is made anew: keep the keyboard's place.
    const isFocused = choice.contains(document.activeElement);
    choice.replaceChildren(
      ...names.map((name) =>
        element(
          "button",
          {
            type: "button",
            class: "segment",
            "aria-pressed": String(name === shown),
            onclick: () => {
              chosen = name;
              update();
            },
          },
          GRAPH_WORDS[name],
        ),
      ),
    );
    if (isFocused) choice.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus();
  }

  function drawSkipped(): void {
    const { count, last } = run.record.skips;
    skippedCard.hidden = count === 0;
    const key = `${count} ${run.generation}`;
    if (skipped.dataset.key === key) return;
    skipped.dataset.key = key;
    setText(skippedCount, count > last.length ? `the last ${formatCount(last.length)} of ${formatCount(count)}` : formatCount(count));
    skipped.replaceChildren(
      ...last
        .toReversed()
        .map(({ id, stage, message }) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, id),
            element("td", { "data-label": "Stage" }, stage),
            element("td", { "data-label": "Reason", class: "reason" }, message),
          ),
        ),
    );
  }

  function update(): void {
    const { graphs } = run.record;
    drawSkipped();
    const names = (Object.keys(GRAPH_WORDS) as GraphName[]).filter((name) => graphs[name]);
    const shown = graphs[chosen] ? chosen : names[0];
    const graph = shown && graphs[shown];
    empty.hidden = graph !== undefined;
    content.hidden = graph === undefined;
    if (!graph) return;
    showChoice(names, shown);
    const { latest: stages, moments } = graph;
    setText(verdict, stages.verdict || "No verdict yet: the stages have not run long enough.");
    setText(age, run.record.end ? "As it was when the run ended" : `Reported ${formatAgo(stages.t, Date.now())}`);
    const share = stages.budget > 0 ? stages.bytesInUse / stages.budget : 0;
    setText(
      memoryText,
      stages.budget > 0
        ? `${formatBytes(stages.bytesInUse)} of ${formatBytes(stages.budget)} (${formatPercent(share)})`
        : formatBytes(stages.bytesInUse),
    );
    memoryBar.style.width = `${Math.min(100, share * 100)}%`;
    memoryBar.dataset.level = share > 0.95 ? "full" : share > 0.8 ? "high" : "normal";
    meter.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    const key = `${shown} ${stages.t} ${drawing.clientWidth}`;
    if (key === drawnAt) return;
    drawnAt = key;
    memorySpark.replaceChildren(
      sparkline(
        moments.map(({ bytesInUse }) => bytesInUse),
        "Memory in use over the last minutes",
        320,
        36,
      ),
    );
    const activities = stages.stages.map((report) => stageActivity(report, moments));
    const slowest = bottleneck(activities);
    drawing.replaceChildren(drawPipeline(activities, slowest, drawing.clientWidth));
    facts.replaceChildren(...pipelineFacts(activities, run.record.system?.threads));
    body.replaceChildren(...activities.map((entry) => stageRow(entry, entry.report.name === slowest)));
  }

  update();
  return { element: root, update, destroy: () => observer.disconnect() };
}

function stateLegend(): HTMLElement {
  return element(
    "div",
    { class: "state-legend" },
    element("span", { class: "key busy" }, "busy"),
    element("span", { class: "key blocked" }, "blocked: the next stage is full"),
    element("span", { class: "key starved" }, "starved: waits for input"),
  );
}

function stageRow({ report, perSecond, busy, blocked, starved, rates }: StageActivity, isSlowest: boolean): HTMLElement {
  const { name, state, held, maxHeld, skipped, knobs, running, counters = {} } = report;
  const share = element("div", {
    class: "shares",
    role: "img",
    "aria-label": `busy ${formatPercent(busy)}, blocked ${formatPercent(blocked)}, starved ${formatPercent(starved)}`,
  });
  for (const [kind, value] of Object.entries({ busy, blocked, starved })) {
    const part = element("span", { class: `share ${kind}`, title: `${kind} ${formatPercent(value)}` });
    part.style.flexGrow = String(Math.max(0, value));
    share.append(part);
  }
  const fill = element("div", { class: "queue-fill" });
  fill.style.width = `${maxHeld > 0 ? Math.min(100, (held / maxHeld) * 100) : 0}%`;
  const cell = (label: string, kind: string, ...children: (Node | string | undefined)[]) =>
    element("td", { "data-label": label, class: kind }, ...children);
  return element(
    "tr",
    { class: isSlowest ? "slowest" : "" },
    element("th", { scope: "row", class: "stage-name" }, name, isSlowest ? element("span", { class: "badge" }, "bottleneck") : undefined),
    cell("State", "", element("span", { class: `key ${state}` }, STATE_WORDS[state])),
    cell(
      "Items/s",
      "right number",
      element("span", { class: "rate" }, rates.length > 2 ? sparkline(rates, `Throughput of ${name}`, 64, 20) : undefined, formatRate(perSecond)),
    ),
    cell("In", "right number", formatCount(report.in)),
    cell("Out", "right number", formatCount(report.out)),
    cell(
      "Queue",
      "",
      element(
        "div",
        { class: "queue" },
        element("div", { class: "queue-bar", role: "img", "aria-label": `${held} of ${maxHeld} held` }, fill),
        element("span", { class: "number" }, `${held}/${maxHeld}`),
      ),
    ),
    cell(
      "Time",
      "",
      element("div", { class: "shares-cell" }, share, element("span", { class: "number shares-text" }, `${formatPercent(busy)} busy`)),
    ),
    cell("Skipped", `right number${skipped === 0 ? " zero" : ""}`, formatCount(skipped)),
    cell(
      "Settings",
      "settings",
      [
        ...(running > 1 ? [`${running} running`] : []),
        ...Object.entries(knobs).map(([knob, value]) => `${knob} ${value}`),
        ...Object.entries(counters).map(([what, value]) => `${formatCount(value)} ${what}`),
      ].join(", ") || "–",
    ),
  );
}
