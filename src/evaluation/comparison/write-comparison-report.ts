import { join } from "node:path";
import { writeAtomically } from "../../io/write-atomically.js";
import { classColor } from "../figures/class-color.js";
import { scatterFigure } from "../figures/scatter-figure.js";
import { boxFigure } from "../report/box-figure.js";
import { type HtmlPart, html, joinHtml, raw } from "../report/html.js";
import { metricTitle } from "../report/metric-title.js";
import { comparisonTable, comparisonTsv, markdownTable, type TableRows } from "./comparison-table.js";
import { ALL_CLASSES, type CaseScores, type ComparisonSummary, caseScores, type VariantRows } from "./summarize-comparison.js";

export interface ComparisonReportOptions {
  /** Gets the files. */
  readonly output: string;
  readonly summary: ComparisonSummary;
  readonly variants: readonly VariantRows[];
  /** What stands on top: division, seeds, machine. */
  readonly facts: Readonly<Record<string, string | number>>;
}

/** Metrics that get tables and boxes in the report, where they were counted. */
const SHOWN = ["dice", "hd95", "nsd_1mm"];

/**
 * Writes a comparison's files: `comparison.tsv` (every metric), `cases.tsv` (every case), `summary.json`, `comparison.md`, box plots and Dice over cost as PNG,
 * and `report.html`, one file with all of it that opens offline.
 *
 * @returns the path of the report
 * @throws `ERR_WRITE`
 * @example
 * await writeComparisonReport({ output: "runs/networks/comparison", summary, variants, facts: { folds: 3 } });
 */
export async function writeComparisonReport({ output, summary, variants, facts }: ComparisonReportOptions): Promise<string> {
  const write = (name: string, content: string | Uint8Array): Promise<void> =>
    writeAtomically(join(output, name), [typeof content === "string" ? Buffer.from(content) : content]);
  const scores = new Map(variants.map(({ name, seeds }) => [name, caseScores(seeds)]));
  const metrics = SHOWN.filter((metric) => summary.variants[0]?.classes[ALL_CLASSES]?.[metric]);
  const tables = metrics.map((metric, at) => ({ title: headingOf(metric), rows: comparisonTable(summary, { metric, costs: at === 0 }) }));
  await write("comparison.tsv", comparisonTsv(summary));
  await write("cases.tsv", casesTsv(variants));
  await write("summary.json", `${JSON.stringify(summary, undefined, 2)}\n`);

  const pictures: { readonly name: string; readonly title: string; readonly png: Uint8Array }[] = [];
  for (const metric of metrics) {
    for (const label of Object.keys(summary.variants[0]!.classes)) {
      const png = await boxes(summary, scores, metric, label);
      if (png) pictures.push({ name: `box-${metric}-${label.replaceAll(/[^\w.-]+/g, "-")}.png`, title: `${metricTitle(metric)}, ${label}`, png });
    }
  }
  const costs = [
    ["dice-by-time.png", "Time of a training step (ms)", "stepMs", 1],
    ["dice-by-parameters.png", "Parameters", "parameters", 1],
    ["dice-by-memory.png", "Tensors of a training step at its peak (MB)", "peakBytes", 1 / 1024 ** 2],
  ] as const;
  for (const [name, xLabel, field, factor] of costs) {
    const points = summary.variants.flatMap((variant, at) => {
      const dice = variant.classes[ALL_CLASSES]?.dice?.values;
      const x = variant.cost[field];
      if (dice?.mean == null || x === null || x <= 0) return [];
      return [{ name: variant.name, x: x * factor, y: dice.mean, interval: dice.interval, color: classColor(at + 1) }];
    });
    if (points.length === 0) continue;
    pictures.push({ name, title: xLabel, png: await scatterFigure({ title: "Dice over all classes, by cost", xLabel, yLabel: "Dice", points }) });
  }
  for (const { name, png } of pictures) await write(name, png);

  const notes = notesOf(summary);
  const markdown = [
    `# Comparison of ${summary.variants.length} variants on ${summary.cases} cases`,
    Object.entries(facts)
      .map(([name, value]) => `- ${name}: ${value}`)
      .join("\n"),
    ...tables.map(({ title, rows }) => `## ${title}\n\n${markdownTable(rows)}`),
    ...pictures.filter(({ name }) => name.startsWith("dice-by") || name.startsWith("box-dice")).map(({ name, title }) => `![${title}](${name})`),
    summary.policy,
    ...notes,
  ].join("\n\n");
  await write("comparison.md", `${markdown}\n`);

  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Comparison</title><style>${raw(STYLE)}</style></head><body>
<h1>Comparison of ${summary.variants.length} variants on ${summary.cases} cases</h1>
<dl>${joinHtml(Object.entries(facts).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`))}</dl>
${joinHtml(tables.map(({ title, rows }) => html`<h2>${title}</h2><div class="wide">${tableHtml(rows)}</div>`))}
<h2>Cost and distributions</h2><div class="grid">${joinHtml(
    [...pictures]
      .sort((a, b) => Number(b.name.startsWith("dice-by")) - Number(a.name.startsWith("dice-by")))
      .map(({ png, title }) => inlined(png, title)),
  )}</div>
<h2>How it is counted</h2><p>${summary.policy}</p>${joinHtml(notes.map((note) => html`<p>${note}</p>`))}
</body></html>
`;
  await write("report.html", page.text);
  return join(output, "report.html");
}

function headingOf(metric: string): string {
  return `${metricTitle(metric)}: ${metric === "hd95" ? "lower" : "higher"} is better`;
}

async function boxes(
  { variants }: ComparisonSummary,
  scores: ReadonlyMap<string, CaseScores>,
  metric: string,
  label: string,
): Promise<Uint8Array | undefined> {
  const rows = variants.map(({ name }, at) => ({
    name,
    color: classColor(at + 1),
    values: [...(scores.get(name)?.get(label)?.get(metric)?.values() ?? [])],
  }));
  if (rows.every(({ values }) => values.every(Number.isNaN))) return undefined;
  const isShare = metric === "dice" || metric.startsWith("nsd");
  return boxFigure({
    title: `${metricTitle(metric)}, ${label}`,
    yLabel: metricTitle(metric),
    boxes: rows,
    width: Math.max(760, 94 + 116 * rows.length),
    ...(isShare && { range: [0, 1] as const }),
  });
}

/** Cases that could not be paired: a comparison must not hide them. */
function notesOf({ variants, baseline }: ComparisonSummary): readonly string[] {
  return variants.flatMap(({ name, classes }) =>
    Object.entries(classes).flatMap(([label, metrics]) => {
      const left = metrics.dice?.difference?.leftOut ?? 0;
      return left === 0 ? [] : [`${name}, ${label}: ${left} cases have a Dice for ${name} or for ${baseline} only, and are in no pair.`];
    }),
  );
}

function casesTsv(variants: readonly VariantRows[]): string {
  const columns = Object.keys(variants[0]?.seeds[0]?.[0]?.metrics ?? {});
  const lines = variants.flatMap(({ name, seeds }) =>
    seeds.flatMap((rows, seed) =>
      rows.map((row) =>
        [
          name,
          seed,
          row.id,
          row.class,
          row.state,
          ...columns.map((column) => (Number.isNaN(row.metrics[column]!) ? "" : Number(row.metrics[column]!.toPrecision(9)))),
        ].join("\t"),
      ),
    ),
  );
  return `${[["variant", "seed_number", "case", "class", "state", ...columns].join("\t"), ...lines].join("\n")}\n`;
}

function tableHtml(rows: TableRows): HtmlPart {
  const [head, ...body] = rows;
  return html`<table><tr>${joinHtml(head!.map((cell) => html`<th>${cell}`))}</tr>
${joinHtml(
  body.map(
    ([name, ...cells]) => html`<tr><th>${name}${joinHtml(cells.map((cell) => html`<td>${cell}`))}</tr>
`,
  ),
)}</table>`;
}

function inlined(png: Uint8Array, title: string): HtmlPart {
  return html`<figure><img alt="${title}" src="data:image/png;base64,${raw(Buffer.from(png).toString("base64"))}"></figure>`;
}

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1300px; padding: 0 1rem; color: #1b1b1b; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } dl { display: flex; flex-wrap: wrap; gap: 0.4rem 2rem; } dt { color: #555; font-size: 0.8rem; }
dd { margin: 0; } .wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: 0.25rem 0.7rem; text-align: right; border-bottom: 1px solid #e5e5e5; } th:first-child { text-align: left; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(480px, 1fr)); gap: 1rem; } img { max-width: 100%; height: auto; } figure { margin: 0; }
`;
