import type { RunSummary } from "../../live/summarize-run.js";
import { sparkline } from "../charts/sparkline.js";
import { getJson } from "../data/api-client.js";
import { element, setText } from "../elements/element.js";
import { formatAgo, formatCount, formatDate, formatDuration, formatScore, formatValue } from "../elements/format.js";
import { runAddress } from "../elements/run-address.js";
import { statePill } from "../elements/run-state.js";
import { table } from "../elements/table.js";
import type { View } from "../view.js";

const POLL_MS = 2000;
const MOST_COMPARED = 8;
const WHY = `Choose 2 to ${MOST_COMPARED} runs by their boxes to see their curves together`;

/** The cross-validation that a run is a fold of. */
function foldOf(id: string): string | undefined {
  return /^(.*)\/fold-\d+$/.exec(id)?.[1];
}

/** All runs of the folder, latest first. */
export function runsView(): View {
  const body = element("tbody");
  const problem = element("p", { class: "problem", role: "alert" });
  const count = element("span", { class: "hint" });
  const search = element("input", { type: "search", placeholder: "Filter by name", "aria-label": "Filter runs by name", oninput: () => draw() });
  const compare = element("a", { class: "button disabled", "aria-disabled": "true", title: WHY }, "Compare");
  const chooseHead = element("th", { scope: "col" }, element("span", { class: "hidden-text" }, "Compare"));
  const heads = [chooseHead, "Run", "State", "Loss curve", "Epoch", "Loss", "Best score", "Time left", "Updated"];
  const list = table({ heads, numbers: [4, 5, 6, 7], kind: "responsive runs" }, body);
  const hint = element("span", { class: "hint" }, "Choose two or more to compare their curves");
  const empty = element("div", { class: "empty" });
  const root = element(
    "div",
    { class: "view" },
    element(
      "div",
      { class: "page-head" },
      element("div", {}, element("h1", {}, "Runs"), count),
      element("div", { class: "controls" }, hint, search, compare),
    ),
    problem,
    element("section", { class: "card flush", "aria-label": "List of runs" }, list, empty),
  );
  const chosen = new Set<string>();
  let runs: readonly RunSummary[] | undefined;
  let isClosed = false;
  let drawn = "";

  function load(): void {
    if (document.hidden && runs) return;
    getJson<{ runs: RunSummary[] }>("api/runs").then(
      (answer) => {
        if (isClosed) return;
        runs = answer.runs;
        setText(problem, "");
        draw();
        if (runs.some(({ progress }) => progress < 1)) setTimeout(load, 250);
      },
      (error: Error) => setText(problem, `The list of runs could not be read: ${error.message}. Trying again.`),
    );
  }

  function draw(): void {
    if (!runs) return;
    const wanted = search.value.trim().toLowerCase();
    const shown = runs.filter(({ id }) => id.toLowerCase().includes(wanted));
    hint.hidden = runs.length < 2 || chosen.size >= 2;
    const running = runs.filter(({ state }) => state === "running").length;
    setText(
      count,
      runs.length === 0 ? "" : `${formatCount(runs.length)} ${runs.length === 1 ? "run" : "runs"}${running ? `, ${running} running` : ""}`,
    );
    list.hidden = shown.length === 0;
    empty.hidden = shown.length > 0;
    if (shown.length === 0) {
      empty.replaceChildren(
        ...(runs.length > 0
          ? [element("p", {}, "No run has this in its name.")]
          : [
              element("p", { class: "empty-title" }, "No runs yet"),
              element("p", {}, "Start a training, and it appears here by itself:"),
              element("pre", {}, "voxstream train config.ts"),
            ]),
      );
    }
    const now = Date.now();
    const key = JSON.stringify([shown, [...chosen], Math.floor(now / 15_000)]);
    if (key === drawn) return;
    drawn = key;
    // Rows are made anew: keep the keyboard's place.
    const focused = document.activeElement?.getAttribute("data-key");
    const named = new Set<string>();
    body.replaceChildren(
      ...shown.flatMap((run) => {
        const name = foldOf(run.id);
        if (name === undefined || named.has(name)) return [row(run, now)];
        named.add(name);
        return [
          foldsRow(
            name,
            runs!.filter(({ id }) => foldOf(id) === name),
          ),
          row(run, now),
        ];
      }),
    );
    if (focused) body.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  function row(run: RunSummary, now: number): HTMLElement {
    const { id, state, progress, epoch, epochs, loss, best, spark, remainingSeconds, updated, engine, started } = run;
    const done = epoch;
    // A folder that was predicted into has no curves.
    const isPrediction = state !== "empty" && run.step === undefined && epochs === undefined;
    const bar = element("div", { class: "progress-fill" });
    bar.style.width = `${done !== undefined && epochs ? Math.min(100, (done / epochs) * 100) : 0}%`;
    const cell = (label: string, kind: string, ...children: (Node | string | undefined)[]) =>
      element("td", { "data-label": label, class: kind }, ...children);
    return element(
      "tr",
      { class: state },
      element(
        "td",
        { class: "choose" },
        element("input", {
          type: "checkbox",
          checked: chosen.has(id),
          "aria-label": `Choose ${id} for comparison`,
          "data-key": `choose ${id}`,
          onchange: (event) => {
            if ((event.target as HTMLInputElement).checked && chosen.size < MOST_COMPARED) chosen.add(id);
            else chosen.delete(id);
            showCompare();
            draw();
          },
        }),
      ),
      element(
        "th",
        { scope: "row" },
        element("a", { href: runAddress(id, isPrediction ? "volumes" : "training"), class: "run-name", "data-key": `open ${id}` }, id),
        element("span", { class: "run-note" }, [engine ? `${engine} engine` : "", started ? formatDate(started) : ""].filter(Boolean).join(" · ")),
      ),
      cell("State", "", statePill(progress < 1 ? "reading" : state)),
      cell("Loss curve", "spark", spark.length > 1 ? sparkline(spark, `Loss of ${id}`, 132, 30) : element("span", { class: "hint" }, "–")),
      cell(
        "Epoch",
        "right number",
        element(
          "div",
          { class: "progress-cell" },
          done === undefined ? "–" : `${formatCount(done)}${epochs ? ` / ${formatCount(epochs)}` : ""}`,
          element("div", { class: "progress-bar", "aria-hidden": "true" }, bar),
        ),
      ),
      cell("Loss", "right number", formatValue(loss)),
      cell(
        "Best score",
        "right number",
        formatScore(best?.value),
        best ? element("span", { class: "cell-note" }, best.name.replaceAll("_", " ")) : undefined,
      ),
      cell("Time left", "right number", state === "running" ? formatDuration(remainingSeconds) : "–"),
      cell("Updated", "number", formatAgo(updated, now)),
    );
  }

  /** In front of the folds of a cross-validation: the way to all of them together. */
  function foldsRow(name: string, folds: readonly RunSummary[]): HTMLElement {
    const done = folds.filter(({ state }) => state === "completed").length;
    const words = `${formatCount(folds.length)} folds of a cross-validation, ${formatCount(done)} trained`;
    return element(
      "tr",
      { class: "folds" },
      element("td", { class: "choose" }),
      element(
        "th",
        { scope: "row", colspan: 8 },
        element("a", { href: `#/folds/${encodeURIComponent(name)}`, class: "run-name", "data-key": `folds ${name}` }, name),
        element("span", { class: "run-note" }, words),
      ),
    );
  }

  function showCompare(): void {
    const isReady = chosen.size >= 2;
    compare.classList.toggle("disabled", !isReady);
    setText(compare, chosen.size === 0 ? "Compare" : `Compare ${chosen.size}`);
    if (isReady) {
      compare.href = `#/compare/${[...chosen].map(encodeURIComponent).join(",")}`;
      compare.removeAttribute("aria-disabled");
      compare.title = "";
    } else {
      compare.removeAttribute("href");
      compare.setAttribute("aria-disabled", "true");
      compare.title = WHY;
    }
  }

  const timer = setInterval(load, POLL_MS);
  load();
  return {
    element: root,
    update: load,
    destroy: () => {
      isClosed = true;
      clearInterval(timer);
    },
  };
}
