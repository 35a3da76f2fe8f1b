import type { RunState } from "../../live/summarize-run.js";
import { element } from "./element.js";

const WORDS: Readonly<Record<RunState | "reading" | "gone", string>> = {
  running: "Running",
  paused: "Paused",
  silent: "Silent",
  completed: "Completed",
  stopped: "Stopped",
  failed: "Failed",
  empty: "No events",
  reading: "Reading",
  gone: "Deleted",
};

const TITLES: Partial<Readonly<Record<RunState | "reading" | "gone", string>>> = {
  paused: "Stands still on request, until it is told to go on",
  silent: "No event for more than two minutes and no end: killed, hung, or in a very long step",
  empty: "The event file holds nothing yet",
  reading: "The server is still reading the events of this run",
};

/** A word with a dot in its color. */
export function statePill(state: RunState | "reading" | "gone"): HTMLElement {
  return element(
    "span",
    { class: `pill ${state}`, title: TITLES[state] },
    element("span", { class: "pill-dot", "aria-hidden": "true" }),
    WORDS[state],
  );
}
