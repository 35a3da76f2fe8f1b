import type { StageReport } from "../core/run-events.js";

/** The time that a stage has spent in each state. */
export class StageClock {
  state: StageReport["state"] = "starved";
  /** Work time added up over parallel jobs. */
  workMs = 0;
  readonly spent = { busy: 0, blocked: 0, starved: 0, done: 0 };
  private since = performance.now();

  /** Adds the time since the last call to the current state and enters the next one; returns the time of day. */
  enter(next: StageReport["state"] = this.state): number {
    const now = performance.now();
    this.spent[this.state] += now - this.since;
    this.since = now;
    this.state = next;
    return now;
  }
}
