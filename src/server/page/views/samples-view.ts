import type { Table } from "../../files/parse-tsv.js";
import type { RunFile } from "../../routes/list-files.js";
import { getJson, runPath } from "../data/api-client.js";
import { type CaseScores, caseScores } from "../data/case-scores.js";
import type { LiveRun } from "../data/live-run.js";
import { element, setText } from "../elements/element.js";
import { formatCount, formatScore } from "../elements/format.js";
import { capturedSamples } from "../panels/captured-samples.js";
import type { View } from "../view.js";

interface Picture {
  readonly title: string;
  readonly note: string;
  readonly address: string;
  /** Shown when enlarged, if another one than in the list. */
  readonly large?: string;
}

const MOST_CASES = 120;

/** The patches that go into the training, the latest preview of the training, earlier ones, and the pictures of every case: ground truth beside prediction. */
export function samplesView(run: LiveRun): View {
  const captured = capturedSamples(run);
  const latest = element("div", { class: "latest-preview" });
  const earlier = element("div", { class: "strip" });
  const cases = element("div", { class: "gallery" });
  const figures = element("div", { class: "gallery wide" });
  const large = dialog();
  const search = element("input", { type: "search", placeholder: "Filter by case", "aria-label": "Filter by case", oninput: () => draw() });
  const problem = element("p", { class: "problem", role: "alert" });
  const section = (title: string, ...children: HTMLElement[]) => element("section", { class: "card", "aria-label": title }, ...children);
  const earlierCard = section("Earlier previews", element("h3", {}, "Earlier previews"), earlier);
  const figuresCard = section("Figures", element("h3", {}, "Figures"), figures);
  const root = element(
    "div",
    { class: "view stack" },
    problem,
    captured.element,
    section("Latest preview", element("h3", {}, "Latest preview"), latest),
    earlierCard,
    section("Cases", element("div", { class: "card-head" }, element("h3", {}, "Cases: ground truth beside prediction"), search), cases),
    figuresCard,
    large.element,
  );
  let files: readonly RunFile[] = [];
  let scores: CaseScores | undefined;
  let seen = "";
  let isClosed = false;

  const address = ({ folder, name, modified }: RunFile) => `${runPath(run.id, "files", folder, name)}?v=${Math.round(modified)}`;

  function load(): void {
    Promise.all([getJson<{ files: RunFile[] }>(runPath(run.id, "files")), getJson<{ table: Table | null }>(runPath(run.id, "evaluation"))]).then(
      ([answer, { table }]) => {
        if (isClosed) return;
        files = answer.files;
        scores = table ? caseScores(table) : undefined;
        setText(problem, "");
        draw();
      },
      (error: Error) => setText(problem, `The list of files could not be read: ${error.message}`),
    );
  }

  function draw(): void {
    captured.update(files);
    const byPath = new Map(files.map((file) => [`${file.folder}/${file.name}`, file]));
    const previews = run.record.previews.last.flatMap((event): Picture[] => {
      const file = byPath.get(event.path.split(/[\\/]/).slice(-2).join("/"));
      return file ? [{ title: event.id, note: `epoch ${formatCount(event.epoch)}`, address: address(file) }] : [];
    });
    const newest = previews[previews.length - 1];
    latest.replaceChildren(
      newest
        ? figure(newest, large.show, "large")
        : element(
            "p",
            { class: "empty" },
            "No preview yet. The training draws one from time to time: image, ground truth and what the network sees in it.",
          ),
    );
    const rest = previews.slice(-13, -1).reverse();
    earlierCard.hidden = rest.length === 0;
    earlier.replaceChildren(...rest.map((picture) => figure(picture, large.show, "thumb")));
    const wanted = search.value.trim().toLowerCase();
    const overlays = overlaysOf(files.filter(({ folder, name }) => folder === "overlays" && name.toLowerCase().includes(wanted)));
    const score = (id: string) => scores?.mean(id, "dice");
    // Worst cases first: they are what one should look at.
    overlays.sort((a, b) => (score(a.id) ?? 2) - (score(b.id) ?? 2));
    const pictures = overlays.slice(0, MOST_CASES).map(({ id, still, moving }): Picture => {
      const dice = score(id);
      return { title: id, note: dice === undefined ? "" : `mean Dice ${formatScore(dice)}`, address: address(still), large: address(moving) };
    });
    cases.replaceChildren(
      ...(pictures.length > 0
        ? pictures.map((picture) => figure(picture, large.show, "case"))
        : [
            element(
              "p",
              { class: "empty" },
              wanted ? "No case has this in its name." : "No overlays yet. They are drawn when cases are predicted or evaluated.",
            ),
          ]),
    );
    const curves = files.filter(({ folder, name }) => folder === "figures" && /\.png$/i.test(name));
    figuresCard.hidden = curves.length === 0;
    figures.replaceChildren(...curves.map((file) => figure({ title: bare(file.name), note: "", address: address(file) }, large.show, "case")));
  }

  function update(): void {
    const { previews, predictions, evaluation, end, samples } = run.record;
    captured.update(files);
    const now = [samples.count, previews.count, predictions.count, evaluation?.t, end?.t, run.generation].join(" ");
    if (now === seen) return;
    seen = now;
    load();
  }

  update();
  return {
    element: root,
    update,
    destroy: () => {
      isClosed = true;
      captured.destroy();
    },
  };
}

/** The pictures of each case: the slice that tells most for the list, the film through all slices where there is one to enlarge. */
function overlaysOf(files: readonly RunFile[]): { readonly id: string; readonly still: RunFile; readonly moving: RunFile }[] {
  const byId = new Map<string, RunFile[]>();
  for (const file of files) if (/\.(gif|png)$/i.test(file.name)) byId.set(bare(file.name), [...(byId.get(bare(file.name)) ?? []), file]);
  return [...byId].map(([id, own]) => ({
    id,
    still: own.find(({ name }) => /\.png$/i.test(name)) ?? own[0]!,
    moving: own.find(({ name }) => /\.gif$/i.test(name)) ?? own[0]!,
  }));
}

function bare(name: string): string {
  return name.replace(/\.(gif|png)$/i, "");
}

function figure(picture: Picture, show: (picture: Picture) => void, kind: string): HTMLElement {
  const { title, note, address } = picture;
  return element(
    "figure",
    { class: `picture ${kind}` },
    element(
      "button",
      { type: "button", class: "picture-button", "aria-label": `Enlarge ${title}`, onclick: () => show(picture) },
      element("img", {
        class: kind === "large" ? "picture-image-large" : undefined,
        src: address,
        alt: [title, note].filter(Boolean).join(", "),
        loading: "lazy",
        decoding: "async",
      }),
    ),
    element("figcaption", {}, element("span", { class: "picture-title" }, title), element("span", { class: "picture-note" }, note)),
  );
}

function dialog(): { readonly element: HTMLDialogElement; show(picture: Picture): void } {
  const image = element("img", { alt: "" });
  const caption = element("p", { class: "picture-title" });
  const box: HTMLDialogElement = element(
    "dialog",
    { class: "large-picture", "aria-label": "Enlarged picture", onclick: (event) => event.target === box && box.close() },
    image,
    element("div", { class: "card-head" }, caption, element("button", { type: "button", class: "button", onclick: () => box.close() }, "Close")),
  );
  return {
    element: box,
    show: ({ title, note, address, large }) => {
      image.src = large ?? address;
      image.alt = [title, note].filter(Boolean).join(", ");
      setText(caption, image.alt);
      box.showModal();
    },
  };
}
