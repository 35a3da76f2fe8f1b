import type { VolumeKind } from "../../cases/find-case-volume.js";
import type { Table } from "../../files/parse-tsv.js";
import type { RunCase } from "../../routes/list-cases.js";
import type { RunFile } from "../../routes/list-files.js";
import { getJson, runPath } from "../data/api-client.js";
import { type CaseScores, caseScores } from "../data/case-scores.js";
import type { LiveRun } from "../data/live-run.js";
import { caseSubject, PATCH, patchSubject, VOLUME_KINDS, type VolumeMoment, type VolumeSubject } from "../data/volume-subject.js";
import { card } from "../elements/card.js";
import { classLegend } from "../elements/class-legend.js";
import { element, setText } from "../elements/element.js";
import { formatBytes, formatScore } from "../elements/format.js";
import { runAddress } from "../elements/run-address.js";
import { classScores } from "../panels/class-scores.js";
import { epochPicker, momentName } from "../panels/epoch-picker.js";
import { epochScores, latestDice } from "../panels/epoch-scores.js";
import { VOLUME_PLANES, VOLUME_WORDS, VolumeViewer } from "../panels/volume-viewer.js";
import type { View } from "../view.js";

/** More than this is loaded only on request: decompressed and on the graphics card it is several times as much. */
const MOST_BYTES = 96 << 20;
const WINDOWS: Readonly<Record<string, readonly [number, number] | undefined>> = {
  "Soft tissue": [-160, 240],
  Bone: [-450, 1050],
  Lung: [-1350, 150],
  "As in the file": undefined,
};
const GROUPS: Readonly<Record<VolumeSubject["role"], string>> = {
  patch: "While training",
  predicted: "Predicted",
  validation: "Validation",
  training: "Training",
};
const NO_DATA =
  "Images and ground truth are not shown: this run has not noted where its files lie, or they have been moved, or the note is another user's. Start the dashboard with --data and the folder of the cases.";
const REFRESH_MS = 3000;

/**
 * A case of the run in three planes and 3D: image, ground truth and prediction over each other, worst cases first; and the validation patch with what the
 * network said to it after each epoch.
 */
export function volumesView(run: LiveRun): View {
  const list = element("div", { class: "case-list", role: "group", "aria-label": "Cases, worst first" });
  const search = element("input", { type: "search", placeholder: "Filter", "aria-label": "Filter cases by name", oninput: () => drawList() });
  const picker = epochPicker(() => chooseEpoch());
  const save = element("span", { class: "chart-menu" });
  const scoreTable = element("div", { class: "volume-scores" });
  const canvas = element("canvas", { class: "volume-canvas", tabindex: 0 });
  const note = element("p", { class: "volume-note", role: "status" });
  const where = element("p", { class: "hint number", role: "status" });
  const stage = element("div", { class: "volume-stage" }, canvas, note);
  const layers = element("div", { class: "controls" });
  const about = element("p", { class: "hint" });
  const plane = element(
    "select",
    { "aria-label": "Planes", onchange: () => show() },
    VOLUME_PLANES.map((name) => element("option", {}, name)),
  );
  const gray = element(
    "select",
    { "aria-label": "Gray window", onchange: () => show() },
    Object.keys(WINDOWS).map((name) => element("option", {}, name)),
  );
  const legend = element("div", { class: "state-legend" });
  const empty = element(
    "p",
    { class: "empty" },
    "Nothing to look at yet. The validation patch after each epoch, the cases of the run and their predictions are shown here, in three planes and 3D.",
  );
  const hint = element("p", { class: "hint" });
  const content = element(
    "div",
    { class: "volumes" },
    card("Cases", {}, search, list, hint),
    element(
      "section",
      { class: "card volume-card", "aria-label": "Volume" },
      element(
        "div",
        { class: "controls" },
        element("label", { class: "select" }, "View", plane),
        element("label", { class: "select" }, "Gray", gray),
        picker.element,
        layers,
      ),
      about,
      stage,
      element("div", { class: "card-head" }, legend, where, save),
      scoreTable,
    ),
  );
  const opacity: Partial<Record<VolumeKind, number>> = { label: 0, prediction: 0.55 };
  const viewer = new VolumeViewer(canvas, (text) => setText(where, text));
  let shown: readonly VolumeKind[] = [];
  /** The validation patch, then the cases. */
  let subjects: readonly VolumeSubject[] = [];
  let scores: CaseScores | undefined;
  let chosen: string | undefined;
  /** The case that the address names. */
  let wanted: string | undefined;
  let shownRole: VolumeSubject["role"] | undefined;
  let shownTitle = "";
  let seen = "";
  let turn = 0;
  let shownMoment: VolumeMoment | undefined;
  let isOpening = false;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let isClosed = false;

  function load(): void {
    Promise.all([
      getJson<{ cases: RunCase[]; hasData: boolean }>(runPath(run.id, "cases")),
      getJson<{ table: Table | null }>(runPath(run.id, "evaluation")),
      getJson<{ files: RunFile[] }>(runPath(run.id, "files")),
    ]).then(
      ([answer, { table }, { files }]) => {
        if (isClosed) return;
        scores = table ? caseScores(table) : undefined;
        // Files of an epoch that is validated just now, or that a broken-off session has left, have no scores yet.
        const last = run.record.cases.at(-1)?.epoch ?? 0;
        const cases = answer.cases
          .map((each) => caseSubject(run.id, { ...each, epochs: each.epochs.filter(({ epoch }) => epoch <= last) }))
          .filter(({ moments }) => Object.keys(moments[0]!.volumes).length > 0)
          .sort((a, b) => (dice(a.id) ?? 2) - (dice(b.id) ?? 2));
        const patch = patchSubject(run, files);
        subjects = [...(patch ? [patch] : []), ...cases];
        empty.hidden = subjects.length > 0;
        content.hidden = !empty.hidden;
        search.hidden = cases.length < 12;
        setText(hint, answer.hasData ? "" : NO_DATA);
        drawList();
        const current = subjects.find(({ id }) => id === chosen);
        const linked = wanted === undefined ? undefined : cases.find(({ id }) => id === wanted);
        if (linked && linked.id !== chosen) choose(linked);
        else if (current) refresh(current);
        else {
          const first = cases.find(({ role }) => role === "predicted") ?? cases.find(({ moments }) => moments[0]!.epoch !== undefined) ?? subjects[0];
          if (first) choose(first);
        }
      },
      (error: Error) => {
        empty.hidden = false;
        setText(empty, `The list of cases could not be read: ${error.message}`);
      },
    );
  }

  const dice = (id: string) => scores?.mean(id, "dice") ?? latestDice(run.record.cases, id);

  function drawList(): void {
    const filter = search.value.trim().toLowerCase();
    const entries = subjects.filter(({ id, name }) => id === PATCH || name.toLowerCase().includes(filter));
    // Redrawn when a case is chosen: keep the keyboard's place.
    const focused = list.contains(document.activeElement) ? document.activeElement?.getAttribute("data-case") : undefined;
    const rows: HTMLElement[] = [];
    for (const role of Object.keys(GROUPS) as VolumeSubject["role"][]) {
      const own = entries.filter((entry) => entry.role === role);
      if (own.length > 0)
        rows.push(
          element("p", { class: "case-group" }, own.some(({ id }) => dice(id) !== undefined) ? `${GROUPS[role]}, worst first` : GROUPS[role]),
          ...own.map(caseEntry),
        );
    }
    list.replaceChildren(...rows);
    if (focused) [...list.querySelectorAll("button")].find((button) => button.getAttribute("data-case") === focused)?.focus();
  }

  function caseEntry(entry: VolumeSubject): HTMLElement {
    return element(
      "button",
      {
        type: "button",
        class: "case-entry",
        "data-case": entry.id,
        "aria-pressed": String(entry.id === chosen),
        onclick: () => pick(entry),
      },
      element("span", { class: "case-name" }, entry.role === "patch" ? "Validation patch" : entry.name),
      element("span", { class: "number" }, dice(entry.id) === undefined ? "" : formatScore(dice(entry.id))),
    );
  }

  function chooseEpoch(): void {
    const current = subjects.find(({ id }) => id === chosen);
    if (current) look(current, false);
  }

  /** More epochs may have come; while the training goes on, the latest is what one looks at. */
  function refresh(current: VolumeSubject): void {
    const [isAtEnd, epoch] = [picker.isAtEnd, shownMoment?.epoch];
    const index = current.moments.findIndex((moment) => moment.epoch === epoch);
    picker.show(current.moments, isAtEnd || index < 0 ? current.moments.length - 1 : index);
    const now = current.moments[picker.chosen]!;
    const isSame = now.epoch === epoch && now.volumes.prediction?.url === shownMoment?.volumes.prediction?.url;
    if (!isSame && !isOpening) look(current, false);
    else drawScores(current, now);
  }

  /** What somebody presses is also the address: it can be kept and sent. */
  function pick(entry: VolumeSubject): void {
    wanted = entry.role === "patch" ? undefined : entry.id;
    history.replaceState(null, "", runAddress(run.id, "volumes", wanted));
    choose(entry);
  }

  function choose(subject: VolumeSubject): void {
    // From case to case one looks at the same epoch, where it is kept.
    const epoch = picker.isAtEnd ? undefined : shownMoment?.epoch;
    const same = epoch === undefined ? -1 : subject.moments.findIndex((moment) => moment.epoch === epoch);
    picker.show(subject.moments, same < 0 ? subject.moments.length - 1 : same);
    chosen = subject.id;
    drawList();
    look(subject, false);
  }

  function look(subject: VolumeSubject, isForced: boolean): void {
    const moment = subject.moments[picker.chosen]!;
    shownMoment = moment;
    setText(about, aboutText(subject, moment));
    drawScores(subject, moment);
    // Drawn by the server, which needs the image for it.
    const isDrawable = subject.role === "predicted" && moment.epoch === undefined && moment.volumes.image !== undefined;
    save.replaceChildren(...(isDrawable ? ["png", "gif"].map((kind) => saveLink(subject.id, kind)) : []));
    const bytes = VOLUME_KINDS.reduce((sum, kind) => sum + (moment.volumes[kind]?.bytes ?? 0), 0);
    if (bytes > MOST_BYTES && !isForced && viewer.pending(moment.volumes) > MOST_BYTES) {
      turn++;
      note.replaceChildren(
        `The files of ${subject.name} have ${formatBytes(bytes)}; unpacked they are several times as much. `,
        element("button", { type: "button", class: "button", onclick: () => look(subject, true) }, "Load them"),
      );
      return;
    }
    void open(subject, moment);
  }

  function drawScores({ id }: VolumeSubject, { epoch }: VolumeMoment): void {
    const final = epoch === undefined ? classScores(scores, id) : [];
    const trail = epochScores(run.record.cases, id, epoch);
    scoreTable.replaceChildren(
      ...final,
      ...(trail.length > 0 ? [element("h3", { class: "score-title" }, "While training, on the network's grid"), ...trail] : []),
    );
  }

  function saveLink(id: string, kind: string): HTMLElement {
    const title = kind === "gif" ? "Save a film through the slices, ground truth beside prediction" : "Save the most telling slice";
    const href = runPath(run.id, "cases", id, "overlay", kind);
    return element("a", { class: "quiet", href, download: `${id}.${kind}`, title }, kind.toUpperCase());
  }

  async function open({ id, name, role }: VolumeSubject, moment: VolumeMoment): Promise<void> {
    const mine = ++turn;
    const { volumes } = moment;
    const title = moment.epoch === undefined ? name : `${name}, ${momentName(moment)}`;
    isOpening = true;
    stage.dataset.loaded = "";
    // Another epoch of what is there replaces it without a gap.
    setText(note, viewer.isBeside(volumes) ? "" : `Loading ${title}…`);
    try {
      if (!(await viewer.load(volumes, run.record.start?.classes ?? [], () => mine === turn && !isClosed))) return;
      shown = VOLUME_KINDS.filter((kind) => volumes[kind]);
      // The patch is what the network got: no Hounsfield units any more.
      if (role === "patch") gray.value = "As in the file";
      else if (shownRole === "patch") gray.selectedIndex = 0;
      shownRole = role;
      shownTitle = title;
      drawLayers();
      show();
      setText(note, "");
      stage.dataset.loaded = role === "patch" ? title : id;
      stage.dataset.epoch = moment.epoch === undefined ? "" : String(moment.epoch);
    } catch (error) {
      if (mine === turn && !isClosed) setText(note, `${title} cannot be shown: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      if (mine === turn) isOpening = false;
    }
  }

  function drawLayers(): void {
    const names = shown.join(" ");
    if (layers.dataset.kinds === names) return;
    layers.dataset.kinds = names;
    legend.replaceChildren(...classLegend(run.record.start?.classes ?? []));
    layers.replaceChildren(
      ...shown
        .filter((kind) => kind !== "image")
        .map((kind) =>
          element(
            "label",
            { class: "slider" },
            VOLUME_WORDS[kind],
            element("input", {
              type: "range",
              min: 0,
              max: 1,
              step: 0.05,
              value: opacity[kind] ?? 1,
              oninput: (event) => {
                opacity[kind] = Number((event.target as HTMLInputElement).value);
                show();
              },
            }),
          ),
        ),
    );
    gray.parentElement!.hidden = !shown.includes("image");
  }

  function show(): void {
    if (shown.length === 0) return;
    viewer.show({ plane: plane.selectedIndex, gray: WINDOWS[gray.value], opacity });
    const layered = shown.map((kind) => VOLUME_WORDS[kind]).join(", ");
    canvas.setAttribute(
      "aria-label",
      `${shownTitle}, ${plane.value}: ${layered}. Arrow keys and Page Up and Down move the crosshair through the slices${picker.element.hidden ? "" : ", [ and ] go to the epoch before and after"}.`,
    );
  }

  function update(): void {
    const { previews, predictions, cases, evaluation, end } = run.record;
    const now = [previews.count, predictions.count, cases.at(-1)?.epoch, evaluation?.t, end?.t, run.generation].join(" ");
    // Epochs of a second must not keep the viewer loading.
    if (now === seen || performance.now() - loadedAt < REFRESH_MS) return;
    loadedAt = performance.now();
    seen = now;
    load();
  }

  content.hidden = true;
  canvas.setAttribute("aria-label", "No volume is loaded");
  canvas.addEventListener("keydown", ({ key }) => {
    if (key === "[" || key === "]") picker.step(key === "[" ? -1 : 1);
  });
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-roledescription", "volume viewer");
  update();
  return {
    element: element("div", { class: "view" }, empty, content),
    update,
    open: (subject) => {
      wanted = subject;
      const found = subjects.find(({ id }) => id === subject);
      if (found && found.id !== chosen) choose(found);
    },
    destroy: () => {
      isClosed = true;
      viewer.destroy();
    },
  };
}

/** What is seen: the whole case or a part, and where the prediction comes from. */
function aboutText({ role, name, moments }: VolumeSubject, { epoch, volumes }: VolumeMoment): string {
  const hasImage = volumes.image !== undefined;
  if (role === "patch")
    return `${name}: the validation patch with the most foreground, on the network's grid, and what the network made of it after epoch ${epoch}.`;
  if (epoch !== undefined)
    return `The whole case on the grid of its file${hasImage ? "" : ", without its image"}, as the network predicted it after epoch ${epoch}.${moments.length > 1 ? ` ${moments.length} of its predictions are kept; the keys [ and ] go through them.` : ""}`;
  switch (role) {
    case "predicted":
      return `The whole case on the grid of its file${hasImage ? "" : ", without its image"}, as the run's final prediction has it.`;
    case "validation":
      return "The whole case, which only validates. Its predictions while training are kept when the configuration asks for validation: { cases: … }; the validation patch shows how it went.";
    case "training":
      return "The whole case, which the network learns from; it is not predicted.";
    default:
      return role satisfies never;
  }
}
