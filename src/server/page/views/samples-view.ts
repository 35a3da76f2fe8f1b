import type { RunFile } from "../../routes/list-files.js";
import { getJson, runPath } from "../data/api-client.js";
import type { LiveRun } from "../data/live-run.js";
import { card } from "../elements/card.js";
import { element, setText } from "../elements/element.js";
import { formatCount } from "../elements/format.js";
import { capturedSamples } from "../panels/captured-samples.js";
import { enlarger, type Picture, pictureFigure } from "../panels/picture-gallery.js";
import type { View } from "../view.js";

const MOST_EARLIER = 12;

/** The patches that go into the training, and what the network made of the same validation patch after each epoch. */
export function samplesView(run: LiveRun): View {
  const captured = capturedSamples(run);
  const latest = element("div", { class: "latest-preview" });
  const earlier = element("div", { class: "strip" });
  const large = enlarger();
  const problem = element("p", { class: "problem", role: "alert" });
  const earlierCard = card("Earlier previews", {}, earlier);
  const root = element("div", { class: "view stack" }, problem, captured.element, card("Latest preview", {}, latest), earlierCard, large.element);
  let files: readonly RunFile[] = [];
  /** Those that are shown, by address: pictures that stay are not loaded again. */
  let shown = new Map<string, HTMLElement>();
  let newestAddress = "";
  let seen = "";
  let isClosed = false;

  function load(): void {
    getJson<{ files: RunFile[] }>(runPath(run.id, "files")).then(
      (answer) => {
        if (isClosed) return;
        files = answer.files;
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
      if (!file) return [];
      const address = `${runPath(run.id, "files", file.folder, file.name)}?v=${Math.round(file.modified)}`;
      return [{ title: event.id, note: `epoch ${formatCount(event.epoch)}`, address }];
    });
    const newest = previews[previews.length - 1];
    const none = "No preview yet. The training draws one from time to time: image, ground truth and what the network sees in it.";
    if (!newest) latest.replaceChildren(element("p", { class: "empty" }, none));
    else if (newest.address !== newestAddress) void showLatest(newest);
    const rest = previews.slice(-1 - MOST_EARLIER, -1).reverse();
    earlierCard.hidden = rest.length === 0;
    shown = new Map(rest.map((picture) => [picture.address, shown.get(picture.address) ?? pictureFigure(picture, large.show, "thumb")]));
    earlier.replaceChildren(...shown.values());
  }

  /** The picture before stays until the new one has been read, or the page would flicker with every epoch. */
  async function showLatest(picture: Picture): Promise<void> {
    newestAddress = picture.address;
    const figure = pictureFigure(picture, large.show, "large");
    const image = figure.querySelector("img")!;
    image.loading = "eager";
    // What cannot be drawn is shown as such.
    await image.decode().catch(() => {});
    if (!isClosed && newestAddress === picture.address) latest.replaceChildren(figure);
  }

  function update(): void {
    const { previews, end, samples } = run.record;
    captured.update(files);
    const now = [samples.count, previews.count, end?.t, run.generation].join(" ");
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
