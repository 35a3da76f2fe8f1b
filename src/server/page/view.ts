import type { LiveRun } from "./data/live-run.js";

/** A part of the page. `update` is called whenever the run has changed; it changes the elements in place, so focus and scroll position stay. */
export interface View {
  readonly element: HTMLElement;
  update(): void;
  /** Shows one thing in it, such as a case. */
  open?(subject: string): void;
  destroy(): void;
}

export type RunView = (run: LiveRun) => View;
