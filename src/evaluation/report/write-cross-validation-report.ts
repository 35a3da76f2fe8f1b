import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PostprocessingStep } from "../../inference/index.js";
import { writeAtomically } from "../../io/write-atomically.js";
import type { EvaluationRow, EvaluationSummary } from "../evaluation-summary.js";
import { classColor } from "../figures/class-color.js";
import { confusionFigure } from "../figures/confusion-figure.js";
import type { FoldRecord } from "../fold-record.js";
import type { PostprocessingChoice } from "../postprocessing/choose-postprocessing.js";
import type { HeldOut } from "../run-fold.js";
import type { Splits } from "../splits.js";
import type { ValueSummary } from "../summarize-values.js";
import { boxFigure } from "./box-figure.js";
import { type HtmlPart, html, joinHtml, raw } from "./html.js";
import { metricTitle } from "./metric-title.js";

export interface CrossValidationReportOptions {
  /** Folder of the cross-validation, with its folds. */
  readonly folder: string;
  readonly classes: readonly string[];
  /** Names of several classes taken together, in the rows; they are no part of means over classes. */
  readonly regions?: readonly string[];
  readonly splits: Splits;
  readonly records: readonly FoldRecord[];
  /** Of all held-out cases. */
  readonly rows: readonly EvaluationRow[];
  readonly summary: EvaluationSummary;
  /** What was chosen on the held-out cases. */
  readonly postprocessing?: PostprocessingChoice | undefined;
  readonly heldOut?: HeldOut;
  /** What stands on top: model, loss, seed. */
  readonly facts: Readonly<Record<string, string | number>>;
}

/**
 * Writes into `<folder>/evaluation`: a box plot per metric, `box-<metric>.png`, with a box per class; and `report.html`, one file with all tables, curves and
 * pictures in it. It opens offline: its content security policy lets nothing be requested.
 *
 * @returns the path of the report
 * @throws `ERR_WRITE`
 * @example
 * await writeCrossValidationReport({ folder: "runs/kits", classes, splits, records, rows, summary, facts: { model: "unet" } });
 */
export async function writeCrossValidationReport(options: CrossValidationReportOptions): Promise<string> {
  const { folder, splits, records, rows, summary, regions = [], postprocessing, heldOut = "hidden", facts } = options;
  const boxes = await writeBoxes(options);
  const foldsOf = new Map<string, number[]>();
  for (const [fold, { validation }] of splits.entries()) for (const id of validation) foldsOf.set(id, [...(foldsOf.get(id) ?? []), fold]);
  const columns = Object.keys(summary.meanOverClasses);
  const ids = [...foldsOf.keys()].sort();

  const overview = html`<table><tr><th>class<th class="name">metric<th>n<th>mean<th>median<th>deviation<th>95 % interval of the mean<th>range</tr>
${joinHtml(
  Object.entries(summary.classes).flatMap(([name, { metrics }]) =>
    columns.map((column, at) => {
      const { n, mean, median, std, interval, min, max } = metrics[column] as ValueSummary;
      return html`<tr${raw(at === 0 ? ' class="first"' : "")}><th>${at === 0 ? name : ""}<td class="name">${metricTitle(column)}<td>${n}<td>${figure(mean)}<td>${figure(median)}<td>${figure(std)}<td>${interval ? `${figure(interval[0])} to ${figure(interval[1])}` : "-"}<td>${min === null ? "-" : `${figure(min)} to ${figure(max)}`}</tr>
`;
    }),
  ),
)}</table>`;

  const folds = html`<table><tr><th>fold<th>training cases<th>held-out cases<th>epochs<th>steps<th>training loss<th>best epoch<th>minutes<th>mean Dice</tr>
${joinHtml(
  records.map(({ fold, training, evaluation }) => {
    const own = (evaluation?.rows ?? []).filter((row) => !regions.includes(row.class));
    const dice = own.map((row) => row.metrics.dice ?? Number.NaN).filter((value) => !Number.isNaN(value));
    return html`<tr><th>${fold}<td>${splits[fold]!.training.length}<td>${splits[fold]!.validation.length}<td>${training.epochs}<td>${training.steps}<td>${figure(training.loss)}<td>${training.bestEpoch ?? "-"}<td>${(training.seconds / 60).toFixed(1)}<td>${figure(dice.length === 0 ? null : dice.reduce((sum, value) => sum + value, 0) / dice.length)}</tr>
`;
  }),
)}</table>`;

  const cases = html`<table><tr><th>case<th>fold<th class="name">class<th class="name">state${joinHtml(columns.map((column) => html`<th>${metricTitle(column)}`))}</tr>
${joinHtml(
  ids.flatMap((id) => {
    const own = rows.filter((row) => row.id === id);
    if (own.length === 0)
      return [
        html`<tr class="first"><th>${id}<td>${foldsOf.get(id)!.join(", ")}<td class="name" colspan="${columns.length + 2}">${whyMissing(id, summary)}</tr>
`,
      ];
    return own.map(
      (
        row,
        at,
      ) => html`<tr${raw(at === 0 ? ' class="first"' : "")}><th>${at === 0 ? id : ""}<td>${row.fold ?? foldsOf.get(id)![0]}<td class="name">${row.class}<td class="name">${row.state.replace("_", " ")}${joinHtml(columns.map((column) => html`<td${raw(shadeOf(column, row.metrics[column]!))}>${figure(row.metrics[column]!)}`))}</tr>
`,
    );
  }),
)}</table>`;

  const curves: HtmlPart[] = [];
  const overlays: { readonly dice: number; readonly part: HtmlPart }[] = [];
  for (const [fold, { validation }] of splits.entries()) {
    const figures = join(folder, `fold-${fold}`, "figures");
    const names = existsSync(figures) ? (await readdir(figures)).filter((name) => name.endsWith(".png")).sort() : [];
    const pictures = await Promise.all(names.map((name) => picture(join(figures, name), `fold ${fold}: ${name.slice(0, -4)}`)));
    curves.push(html`<h3>Fold ${fold}</h3><div class="grid">${joinHtml(pictures)}</div>
`);
    for (const id of validation) {
      const path = join(folder, `fold-${fold}`, "overlays", `${id}.png`);
      if (!existsSync(path)) continue;
      const dices = rows
        .filter((row) => row.id === id && (row.fold ?? fold) === fold)
        .map((row) => [row.class, row.metrics.dice ?? Number.NaN] as const);
      const known = dices.filter(([, dice]) => !Number.isNaN(dice));
      const words = dices.map(([name, dice]) => `${name} ${figure(dice)}`).join(", ");
      overlays.push({
        dice: known.length === 0 ? 1 : known.reduce((sum, [, dice]) => sum + dice, 0) / known.length,
        part: html`<figure>${await picture(path, `${id}, ground truth, prediction and errors`)}<figcaption><b>${id}</b>, held out in fold ${fold}; Dice: ${words}</figcaption></figure>
`,
      });
    }
  }
  overlays.sort((a, b) => a.dice - b.dice);

  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cross-validation</title><style>${raw(STYLE)}</style></head><body>
<h1>Cross-validation: ${splits.length} folds, ${ids.length} cases</h1>
${cardsOf(summary)}
<dl>${joinHtml(Object.entries(facts).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`))}</dl>
<h2>Held-out cases of all folds</h2>
${legendOf(heldOut)}
<div class="wide">${overview}</div>
${repeatsOf(summary)}${postprocessing ? postprocessingOf(postprocessing) : ""}
${await confusionOf(summary)}<h2>Distributions</h2><div class="grid">${joinHtml(boxes)}</div>
<h2>Folds</h2><div class="wide">${folds}</div>
<h2>Cases</h2><div class="wide">${cases}</div>
<h2>Training</h2>
${joinHtml(curves)}
<h2>Predictions</h2>${overlays.length === 0 ? html`<p>No pictures were drawn.</p>` : html`<p>The worst first.</p><div class="grid wide-pictures">${joinHtml(overlays.map(({ part }) => part))}</div>`}
<h2>How it is counted</h2><p>${summary.policy}</p>
</body></html>
`;
  const path = join(folder, "evaluation", "report.html");
  await writeAtomically(path, [Buffer.from(page.text)]);
  return path;
}

/** What is asked for first: Dice of each class, with its interval. */
function cardsOf({ classes }: EvaluationSummary): HtmlPart {
  const cards = Object.entries(classes).flatMap(([name, { metrics }], at) => {
    const { dice, hd95 } = metrics;
    if (!dice) return [];
    const [red, green, blue] = classColor(at + 1);
    const interval = dice.interval ? html`<small>95 % interval ${figure(dice.interval[0])} to ${figure(dice.interval[1])}</small>` : "";
    return [
      html`<div class="card" style="border-color: rgb(${red} ${green} ${blue})"><span>${name}, Dice</span><b>${figure(dice.mean)}</b>${interval}<small>median ${figure(dice.median)}, ${dice.n} cases${hd95 ? html`; HD95 ${figure(hd95.median)} mm (median)` : ""}</small></div>`,
    ];
  });
  return html`<div class="cards">${joinHtml(cards)}</div>`;
}

/** Cells of shares from 0 to 1 are the redder the lower. */
function shadeOf(column: string, value: number): string {
  if (!/^(dice|iou|nsd_.*|lesion_f1)$/.test(column) || Number.isNaN(value)) return "";
  const lack = Math.min(1, Math.max(0, 1 - value));
  return ` style="background: rgb(235 80 60 / ${(0.4 * lack).toFixed(2)})"`;
}

function legendOf(heldOut: HeldOut): HtmlPart {
  switch (heldOut) {
    case "hidden":
      return html`<p>Each case was predicted by the one network that never saw it.</p>`;
    case "watched":
      return html`<p>Each case was predicted by the one network that was not trained on it. Its curves were watched meanwhile; nothing was decided by them.</p>`;
    case "deciding":
      return html`<p class="warning">The held-out cases validated while their network was trained, and so chose its epoch. These figures are too good: they are not those of new cases.</p>`;
    default:
      return heldOut satisfies never;
  }
}

/** What is taken for what, as a picture and in numbers. */
async function confusionOf({ confusion, confusionClasses = [], repeats }: EvaluationSummary): Promise<HtmlPart | string> {
  if (!confusion) return "";
  const png = await confusionFigure({ classes: confusionClasses, confusion });
  const row = (voxels: readonly number[], truth: number): HtmlPart => {
    const sum = voxels.reduce((total, value) => total + value, 0);
    return html`<tr><th>${confusionClasses[truth]!}${joinHtml(voxels.map((value) => html`<td>${value}`))}<td>${sum}</tr>
`;
  };
  return html`<h2>Confusion of classes</h2>
<p>Voxels of all held-out cases${repeats ? ", of every repeat" : ""}: each row is a true class, and its shares are what it was taken for.</p>
<div class="confusion">${inlined(png, "Voxels by true and predicted class")}<div class="wide"><table><tr><th>true, predicted as${joinHtml(confusionClasses.map((name) => html`<th>${name}`))}<th>all</tr>
${joinHtml(confusion.map(row))}</table></div></div>
`;
}

function repeatsOf({ repeats, meanOverClasses }: EvaluationSummary): HtmlPart | string {
  if (!repeats) return "";
  const columns = Object.keys(meanOverClasses);
  return html`<h2>Repeats</h2><p>Every case was held out ${repeats.length} times. Above, it counts once, with its mean; here the means over classes of each repeat.</p>
<div class="wide"><table><tr><th>repeat${joinHtml(columns.map((column) => html`<th>${metricTitle(column)}`))}</tr>
${joinHtml(repeats.map((means, at) => html`<tr><th>${at}${joinHtml(columns.map((column) => html`<td>${figure(means[column] ?? null)}`))}</tr>`))}</table></div>
`;
}

function postprocessingOf({ parts, regions, classes }: PostprocessingChoice): HtmlPart {
  const checked = parts === 0 ? "nothing can check a choice with a single case" : "chosen on other cases";
  const ofRegions = html`<div class="wide"><table><tr><th>classes together<th class="name">carried out<th>mean Dice before<th>after<th>after, ${checked}<th class="name">refused
${joinHtml(regions.map((own) => html`<tr><th>${own.region}<td class="name">${stepName(own.step)}<td>${figure(own.dice)}<td>${figure(own.chosenDice)}<td>${figure(own.step ? own.heldOutDice : null)}<td class="name">${refusedName(own.refused, own.refused ? own.heldOutDice : null)}</tr>`))}</table></div>
`;
  return html`<h2>Postprocessing</h2>
<p>Chosen by the mean Dice of the held-out cases (rightly empty counts 1), for classes taken together first, where none of them may lose, then for each class alone. What is carried out has gained twice: on the cases that chose it, and where each ${parts > 0 ? "fold's (or group's) " : ""}cases get what the other cases chose; what did not hold there is refused. It stands in every fold's bundle. The tables and figures of this page are without postprocessing.</p>
${regions.length > 0 ? ofRegions : ""}<div class="wide"><table><tr><th>class<th class="name">carried out for it alone<th>Dice without any<th>Dice with all<th>Dice with all, ${checked}<th class="name">refused</tr>
${joinHtml(
  classes.map(
    (own) =>
      html`<tr><th>${own.class}<td class="name">${stepName(own.step)}<td>${figure(own.dice)}<td>${figure(own.chosenDice)}<td>${figure(own.heldOutDice)}<td class="name">${refusedName(own.refused, own.refusedDice)}</tr>`,
  ),
)}</table></div>
`;
}

/** What was best on all cases and did not hold, with what it gave on cases that took no part in its choice. */
function refusedName(step: PostprocessingStep | null, dice: number | null): string {
  if (!step) return "-";
  return `${stepName(step)}${dice === null ? "" : ` (Dice ${figure(dice)} on other cases)`}`;
}

function stepName(step: PostprocessingStep | null): string {
  if (!step) return "nothing";
  if (step.operation === "minimalSize") return `remove components below ${step.size} ${step.unit === "mm3" ? "mm³" : "voxels"}`;
  return step.count === 1 ? "keep the largest component" : `keep the ${step.count} largest components`;
}

async function writeBoxes({ folder, classes, regions = [], rows, summary }: CrossValidationReportOptions): Promise<HtmlPart[]> {
  const pictures: HtmlPart[] = [];
  for (const column of Object.keys(summary.meanOverClasses)) {
    const boxes = [...classes.slice(1), ...regions].map((name, at) => ({
      name,
      color: classColor(at + 1),
      values: rows.filter((row) => row.class === name).map((row) => row.metrics[column]!),
    }));
    const values = boxes.flatMap((box) => box.values).filter((value) => !Number.isNaN(value));
    if (values.length === 0) continue;
    const isShare = SHARES.test(column);
    const png = await boxFigure({ title: metricTitle(column), yLabel: metricTitle(column), boxes, ...(isShare && { range: [0, 1] as const }) });
    await writeAtomically(join(folder, "evaluation", `box-${column}.png`), [png]);
    pictures.push(inlined(png, `${metricTitle(column)} per class`));
  }
  return pictures;
}

const SHARES = /^(dice|iou|sensitivity|precision|specificity|accuracy|nsd_.*|lesion_f1)$/;

function figure(value: number | null): string {
  if (value === null || Number.isNaN(value)) return "-";
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(3);
}

function whyMissing(id: string, { failed }: EvaluationSummary): string {
  const failure = failed.find((entry) => entry.id === id);
  return failure ? `failed: ${failure.message}` : "without a prediction";
}

async function picture(path: string, description: string): Promise<HtmlPart> {
  return inlined(await readFile(path), description);
}

function inlined(png: Uint8Array, description: string): HtmlPart {
  return html`<img loading="lazy" alt="${description}" src="data:image/png;base64,${raw(Buffer.from(png).toString("base64"))}">
`;
}

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 1400px; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin-bottom: 0.8rem; } h2 { font-size: 1.25rem; margin-top: 2.4rem; border-bottom: 1px solid #ddd; padding-bottom: 0.2rem; } h3 { font-size: 1rem; }
dl { display: flex; flex-wrap: wrap; gap: 0.3rem 2rem; } dt { color: #555; font-size: 0.85rem; } dd { margin: 0; font-weight: 600; }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; } .card { border-left: 6px solid #999; background: #f6f7f9; padding: 0.7rem 1.2rem; border-radius: 4px; display: flex; flex-direction: column; }
.card b { font-size: 2rem; line-height: 1.2; } .card small { color: #555; } .warning { background: #fff3d6; border-left: 6px solid #e0a100; padding: 0.6rem 1rem; }
.wide { overflow-x: auto; margin-bottom: 1rem; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 0.15rem 0.6rem; text-align: right; white-space: nowrap; } th:first-child, .name { text-align: left; } tr:hover > * { background-color: #f1f5fb; }
tr.first > * { border-top: 1px solid #ddd; } tr:first-child th { border-bottom: 2px solid #999; vertical-align: bottom; }
.confusion { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: center; } .confusion img { width: 480px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)); gap: 1rem; } .wide-pictures { grid-template-columns: repeat(auto-fill, minmax(560px, 1fr)); } img { max-width: 100%; height: auto; }
figure { margin: 0; } figcaption { color: #444; font-size: 0.9rem; margin-top: 0.3rem; }
@media print { .grid { grid-template-columns: 1fr 1fr; } h2 { break-after: avoid; } figure, img { break-inside: avoid; } }
`;
