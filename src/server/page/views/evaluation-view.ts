import type { RunFile } from "../../routes/list-files.js";
import type { Evaluation } from "../../routes/read-evaluation.js";
import { getJson, runPath } from "../data/api-client.js";
import { caseScores } from "../data/case-scores.js";
import type { LiveRun } from "../data/live-run.js";
import { element } from "../elements/element.js";
import { runAddress } from "../elements/run-address.js";
import { caseGallery } from "../panels/case-gallery.js";
import { evaluationPanel } from "../panels/evaluation-panel.js";
import type { View } from "../view.js";

/** The scores of the run's cases, and their pictures. */
export function evaluationView(run: LiveRun): View {
  const gallery = caseGallery(run.id);
  const panel = evaluationPanel({ ask, addressOf: (id) => runAddress(run.id, "volumes", id) });
  let seen = "";

  async function ask(): Promise<Evaluation> {
    const [answer, { files }] = await Promise.all([
      getJson<Evaluation>(runPath(run.id, "evaluation")),
      getJson<{ files: RunFile[] }>(runPath(run.id, "files")),
    ]);
    gallery.element.hidden = !files.some(({ folder }) => folder === "overlays" || folder === "figures");
    gallery.show(files, answer.table ? caseScores(answer.table) : undefined);
    return answer;
  }

  function update(): void {
    const { evaluation, predictions, end } = run.record;
    const now = [evaluation?.t, predictions.count, end?.t, run.generation].join(" ");
    if (now === seen) return;
    seen = now;
    panel.load();
  }

  gallery.element.hidden = true;
  update();
  return { element: element("div", { class: "stack" }, panel.element, gallery.element), update, destroy: panel.destroy };
}
