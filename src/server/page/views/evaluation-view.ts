import { getJson, runPath } from "../data/api-client.js";
import type { LiveRun } from "../data/live-run.js";
import { type Evaluation, evaluationPanel } from "../panels/evaluation-panel.js";
import type { View } from "../view.js";

/** The scores of the run's cases. */
export function evaluationView(run: LiveRun): View {
  const panel = evaluationPanel(() => getJson<Evaluation>(runPath(run.id, "evaluation")));
  let seen = "";

  function update(): void {
    const { evaluation, predictions, end } = run.record;
    const now = [evaluation?.t, predictions.count, end?.t, run.generation].join(" ");
    if (now === seen) return;
    seen = now;
    panel.load();
  }

  update();
  return { element: panel.element, update, destroy: panel.destroy };
}
