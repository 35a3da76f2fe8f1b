import type { RunFile } from "../../routes/list-files.js";
import { getBytes, getJson, runPath, sessionState } from "../data/api-client.js";
import { type HistoryMark, historyWords } from "../data/history-words.js";
import type { LiveRun } from "../data/live-run.js";
import { type Capture, type CapturedSample, readCapture } from "../data/read-capture.js";
import { card } from "../elements/card.js";
import { element, setText } from "../elements/element.js";
import { formatCount } from "../elements/format.js";
import { patchViewer } from "./patch-viewer.js";
import { askRun } from "./run-controls.js";

const MOST_BYTES = 300 << 20;

/** The patches of a batch exactly as the trainer received them, each with what was done to it in words. */
export function capturedSamples(run: LiveRun): { readonly element: HTMLElement; update(files: readonly RunFile[]): void; destroy(): void } {
  const choice = element("select", { "aria-label": "Step of the samples", onchange: () => void open(choice.value) });
  const next = element("button", { type: "button", class: "button small", disabled: true, onclick: () => void ask() }, "Show the next step's");
  const said = element("p", { class: "hint", role: "status" });
  const list = element("div", { class: "case-list", role: "group", "aria-label": "Samples of the batch" });
  const history = element("ol", { class: "history" });
  const viewer = patchViewer();
  const content = element(
    "div",
    { class: "captured" },
    element("div", { class: "captured-side" }, list, element("h3", {}, "What was done to it"), history),
    viewer.element,
  );
  const empty = element(
    "p",
    { class: "empty" },
    "No patch has been kept yet. The first batch of a training is kept, then one a minute, and the next one on request.",
  );
  const root = card(
    "Patches as the trainer receives them",
    { beside: element("div", { class: "controls" }, element("label", { class: "select" }, "Step", choice), next) },
    said,
    empty,
    content,
  );
  let names = "";
  let shown = "";
  let wished: string | undefined;
  let capture: Capture | undefined;
  let chosen = 0;
  let isClosed = false;

  async function ask(): Promise<void> {
    try {
      wished = await askRun(run, "samples");
      setText(said, "Asked: the samples of the next step come here as soon as the training has them.");
    } catch (error) {
      setText(said, `Not done: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async function open(name: string): Promise<void> {
    shown = name;
    try {
      const path = (file: string) => runPath(run.id, "files", "samples", file);
      const [description, bytes] = await Promise.all([getJson<unknown>(path(name)), getBytes(path(name.replace(/json$/, "bin")), MOST_BYTES)]);
      if (isClosed || shown !== name) return;
      capture = readCapture(description, bytes);
      chosen = Math.min(chosen, capture.samples.length - 1);
      content.hidden = false;
      draw();
      root.dataset.step = String(capture.step);
    } catch (error) {
      // Old ones are deleted while new ones come: the next list has others.
      if (shown === name) setText(said, `These samples cannot be shown: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  function draw(): void {
    if (!capture) return;
    const { samples } = capture;
    list.replaceChildren(
      ...samples.map((sample, i) =>
        element(
          "button",
          { type: "button", class: "case-entry", "aria-pressed": String(i === chosen), onclick: () => choose(i) },
          element("span", { class: "case-name" }, nameOf(sample)),
          sample.origin
            ? element(
                "span",
                { class: "number", title: "Where the patch begins in its case: slice, row, column" },
                `at (${sample.origin.join(", ")})`,
              )
            : undefined,
        ),
      ),
      ...(capture.left > 0 ? [element("p", { class: "hint" }, `${formatCount(capture.left)} more of the batch were too large to keep.`)] : []),
    );
    const sample = samples[chosen];
    if (!sample) return;
    history.replaceChildren(...historyWords(sample.history).map((words) => element("li", {}, words)));
    viewer.show(capture, sample, spacingOf(sample.history));
  }

  function choose(i: number): void {
    chosen = i;
    draw();
    list.querySelectorAll("button")[i]?.focus();
  }

  function offer(): void {
    sessionState().then(
      ({ canControl }) => {
        const isRunning = run.record.end === undefined && run.record.lastTime > Date.now() - 120_000;
        next.disabled = !canControl || !isRunning;
        next.hidden = !isRunning;
        next.title = canControl ? "" : "Needs the token that was printed when the dashboard was started";
      },
      // The page says elsewhere that the server is gone.
      () => {},
    );
  }

  content.hidden = true;
  return {
    element: root,
    update(files) {
      offer();
      const found = files.filter(({ folder, name }) => folder === "samples" && /^step-\d+\.json$/.test(name)).map(({ name }) => name);
      const captures = found.sort().reverse();
      empty.hidden = captures.length > 0;
      choice.parentElement!.hidden = captures.length === 0;
      if (captures.join() === names) return;
      const isNewest = shown === "" || shown === names.split(",")[0];
      names = captures.join();
      const known = new Map(run.record.samples.last.map(({ path, epoch }) => [path.split("/").at(-1), epoch]));
      choice.replaceChildren(
        ...captures.map((name) => {
          const epoch = known.get(name);
          return element("option", { value: name }, `${formatCount(Number(name.slice(5, -5)))}${epoch === undefined ? "" : ` · epoch ${epoch}`}`);
        }),
      );
      const isAnswered = wished !== undefined && run.record.controls.last.some(({ id }) => id === wished);
      if (captures.length > 0 && (isNewest || isAnswered || !captures.includes(shown))) {
        if (isAnswered) setText(said, "");
        wished = isAnswered ? undefined : wished;
        void open(captures[0]!);
      } else choice.value = shown;
    },
    destroy: () => (isClosed = true),
  };
}

function nameOf({ id, patch }: CapturedSample): string {
  return patch === null ? id : `${id} #${patch}`;
}

/** Voxel size after the last resampling; the proportions of the pictures need no more. */
function spacingOf(history: readonly HistoryMark[]): readonly [number, number, number] {
  const { spacing } = (history.findLast(({ operator }) => operator === "resample")?.params ?? {}) as { spacing?: unknown };
  return Array.isArray(spacing) && spacing.length === 3 && spacing.every((side) => side > 0)
    ? (spacing as unknown as [number, number, number])
    : [1, 1, 1];
}
