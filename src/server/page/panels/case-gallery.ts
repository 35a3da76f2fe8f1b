import type { RunFile } from "../../routes/list-files.js";
import { runPath } from "../data/api-client.js";
import type { CaseScores } from "../data/case-scores.js";
import { card } from "../elements/card.js";
import { element } from "../elements/element.js";
import { formatScore } from "../elements/format.js";
import { runAddress } from "../elements/run-address.js";
import { enlarger, type Picture, pictureFigure } from "./picture-gallery.js";

const MOST_CASES = 120;

/** The pictures that were drawn of the cases, ground truth beside prediction, worst first; and the figures of the run. */
export function caseGallery(run: string): { readonly element: HTMLElement; show(files: readonly RunFile[], scores: CaseScores | undefined): void } {
  const cases = element("div", { class: "gallery" });
  const figures = element("div", { class: "gallery wide" });
  const large = enlarger();
  const search = element("input", { type: "search", placeholder: "Filter by case", "aria-label": "Filter pictures by case", oninput: () => draw() });
  const figuresCard = card("Figures", {}, figures);
  const root = element(
    "div",
    { class: "stack" },
    card("Cases: ground truth beside prediction", { name: "Pictures of the cases", beside: search }, cases),
    figuresCard,
    large.element,
  );
  let files: readonly RunFile[] = [];
  let scores: CaseScores | undefined;
  let drawn = "";

  const address = ({ folder, name, modified }: RunFile) => `${runPath(run, "files", folder, name)}?v=${Math.round(modified)}`;

  function draw(): void {
    const wanted = search.value.trim().toLowerCase();
    const all = overlaysOf(files);
    const overlays = all.filter(({ id }) => id.toLowerCase().includes(wanted));
    const score = (id: string) => scores?.mean(id, "dice");
    // Worst cases first: they are what one should look at.
    overlays.sort((a, b) => (score(a.id) ?? 2) - (score(b.id) ?? 2));
    const pictures = overlays.slice(0, MOST_CASES).map(({ id, still, moving }): Picture => {
      const dice = score(id);
      const links = [{ text: "In three planes", href: runAddress(run, "volumes", id) }];
      return { title: id, note: dice === undefined ? "" : `mean Dice ${formatScore(dice)}`, address: address(still), large: address(moving), links };
    });
    const curves = files.filter(({ folder, name }) => ["figures", "evaluation"].includes(folder) && /\.png$/i.test(name));
    const key = JSON.stringify([pictures, curves]);
    if (key === drawn) return;
    drawn = key;
    search.hidden = all.length < 2;
    const none = wanted ? "No case has this in its name." : "No pictures yet. They are drawn when cases are predicted or evaluated.";
    cases.replaceChildren(
      ...(pictures.length > 0 ? pictures.map((picture) => pictureFigure(picture, large.show, "case")) : [element("p", { class: "empty" }, none)]),
    );
    figuresCard.hidden = curves.length === 0;
    figures.replaceChildren(
      ...curves.map((file) => pictureFigure({ title: titleOf(file.name), note: "", address: address(file) }, large.show, "case")),
    );
  }

  return {
    element: root,
    show(nextFiles, nextScores) {
      [files, scores] = [nextFiles, nextScores];
      draw();
    },
  };
}

/** The pictures of each case: the slice that tells most for the list, the film through all slices where there is one to enlarge. */
function overlaysOf(files: readonly RunFile[]): { readonly id: string; readonly still: RunFile; readonly moving: RunFile }[] {
  const byId = new Map<string, RunFile[]>();
  for (const file of files)
    if (file.folder === "overlays" && /\.(gif|png)$/i.test(file.name)) byId.set(bare(file.name), [...(byId.get(bare(file.name)) ?? []), file]);
  return [...byId].map(([id, own]) => ({
    id,
    still: own.find(({ name }) => /\.png$/i.test(name)) ?? own[0]!,
    moving: own.find(({ name }) => /\.gif$/i.test(name)) ?? own[0]!,
  }));
}

function bare(name: string): string {
  return name.replace(/\.(gif|png)$/i, "");
}

/** `softDice_kidney.png` as "softDice kidney". */
function titleOf(name: string): string {
  return bare(name).replace(/[-_]/g, " ");
}
