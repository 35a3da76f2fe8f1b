import { LiveRun } from "./data/live-run.js";
import { element, setText } from "./elements/element.js";
import { formatAgo } from "./elements/format.js";
import { runAddress } from "./elements/run-address.js";
import { statePill } from "./elements/run-state.js";
import { runControls } from "./panels/run-controls.js";
import type { RunView, View } from "./view.js";
import { evaluationView } from "./views/evaluation-view.js";
import { logView } from "./views/log-view.js";
import { pipelineView } from "./views/pipeline-view.js";
import { samplesView } from "./views/samples-view.js";
import { trainingView } from "./views/training-view.js";
import { volumesView } from "./views/volumes-view.js";

const VIEWS: Readonly<Record<string, { readonly title: string; readonly open: RunView }>> = {
  training: { title: "Training", open: trainingView },
  pipeline: { title: "Pipeline", open: pipelineView },
  samples: { title: "Samples", open: samplesView },
  volumes: { title: "Volumes", open: volumesView },
  evaluation: { title: "Evaluation", open: evaluationView },
  log: { title: "Log & system", open: logView },
};

const CLOCK_MS = 1000;

/** From a fold to the others. */
function foldsLink(id: string): HTMLElement | undefined {
  const name = /^(.*)\/fold-\d+$/.exec(id)?.[1];
  return name === undefined ? undefined : element("a", { href: `#/folds/${encodeURIComponent(name)}` }, "All folds");
}

/** The page of one run: its name and state, the tabs, and the view that is open. Changing the tab keeps the run and its stream. */
export function runPage(id: string): View & { show(view: string, subject?: string): void } {
  const run = new LiveRun(id, () => update());
  const controls = runControls(run);
  const link = element("span", { class: "live-state", role: "status" });
  const note = element("p", { class: "run-line" });
  const state = element("span");
  const problem = element("p", { class: "problem", role: "alert" });
  const tabs = element("nav", { class: "tabs", "aria-label": "Views of the run" });
  const outlet = element("div");
  const waiting = element("p", { class: "empty", role: "status" });
  const root = element(
    "div",
    {},
    element(
      "div",
      { class: "page-head run-head" },
      element("div", {}, element("div", { class: "title-line" }, element("h1", {}, id), state, foldsLink(id)), note),
      element("div", { class: "run-side" }, element("div", { class: "run-words" }, controls.said, link), controls.element),
    ),
    tabs,
    problem,
    outlet,
  );
  let name = "";
  let view: View | undefined;
  /** What the address names within the view. */
  let subject: string | undefined;
  let shownState = "";

  function show(wanted: string, named?: string): void {
    subject = named;
    const next = Object.hasOwn(VIEWS, wanted) ? wanted : "training";
    tabs.replaceChildren(
      ...Object.entries(VIEWS).map(([key, { title }]) =>
        element("a", { href: runAddress(id, key), "aria-current": key === next ? "page" : undefined }, title),
      ),
    );
    tabs.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (next === name) {
      if (subject !== undefined) view?.open?.(subject);
      return;
    }
    name = next;
    view?.destroy();
    view = undefined;
    outlet.replaceChildren();
    update();
  }

  function update(): void {
    const { record, summary } = run;
    const isOver = record.end !== undefined;
    const current =
      run.state === "gone"
        ? "gone"
        : summary && summary.progress < 1
          ? "reading"
          : isOver
            ? record.end!.status
            : run.state === "live" && record.lastTime > Date.now() - 120_000
              ? record.isPaused
                ? "paused"
                : "running"
              : (summary?.state ?? "reading");
    if (current !== shownState) {
      shownState = current;
      state.replaceChildren(...(current === "gone" && run.generation === 0 ? [] : [statePill(current)]));
    }
    const words = {
      loading: "Connecting…",
      live: isOver ? "Up to date" : "Live",
      reconnecting: "Connection lost, trying again…",
      gone: "Not on disk",
    }[run.state];
    setText(link, words);
    link.dataset.state = run.state;
    const { start } = record;
    const parts = start
      ? [`${start.engine} engine`, `seed ${start.seed}`, start.classes.join(", "), `started ${formatAgo(start.t, Date.now())}`]
      : [];
    setText(note, parts.filter(Boolean).join(" · "));
    setText(
      problem,
      run.state === "gone" && run.generation > 0
        ? "This run is not in the folder any more: it was deleted or renamed. What was read before is still shown."
        : ((run.state === "gone" ? undefined : run.error) ??
            (record.end?.status === "failed" ? `The run failed: ${record.end.message ?? "no reason was written"}` : "")),
    );
    controls.update();
    root.dataset.steps = String(record.steps.rows);
    root.dataset.lastStep = String(record.step?.step ?? "");
    document.title = `${id} · Voxstream`;
    if (run.generation === 0) {
      if (outlet.childElementCount === 0) outlet.append(waiting);
      setText(waiting, run.state === "gone" ? "There is no run of this name." : "Loading the run…");
      return;
    }
    if (view) view.update();
    else {
      view = VIEWS[name]!.open(run);
      outlet.replaceChildren(view.element);
      // Elements know their size only now.
      view.update();
      if (subject !== undefined) view.open?.(subject);
    }
  }

  // Ages and the time left go on between events.
  const clock = setInterval(() => !document.hidden && update(), CLOCK_MS);
  return {
    element: root,
    show,
    update,
    destroy: () => {
      clearInterval(clock);
      controls.destroy();
      view?.destroy();
      run.close();
    },
  };
}
