import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { ChartCanvas } from "./chart-canvas.js";

export interface ConfusionFigureOptions {
  /** Class names; index = label. */
  readonly classes: readonly string[];
  /** Voxels, row = class of the reference, column = class of the prediction. */
  readonly confusion: readonly (readonly number[])[];
  readonly title?: string;
}

/** Numbers need cells of this many pixels; up to twenty classes get them. */
const LEAST_CELL = 46;

/**
 * A PNG of a confusion table: in each cell the voxels and their share of the row, that is of the true class. What is right is blue, what is confused red,
 * the darker the larger the share (its root, so that a few percent can be seen). Tables of many classes have colors only.
 *
 * @throws `ERR_OPTION` when the table has not a row and a column per class
 * @example
 * await writeFile("confusion.png", await confusionFigure({ classes: ["background", "kidney"], confusion: [[900, 10], [5, 85]] }));
 */
export async function confusionFigure({
  classes,
  confusion,
  title = "Voxels by true and predicted class",
  ...unknown
}: ConfusionFigureOptions): Promise<Uint8Array> {
  requireKnownOptions("confusionFigure", unknown, ["classes", "confusion", "title"]);
  const count = classes.length;
  requireOption(
    count > 0 && confusion.length === count && confusion.every((row) => row.length === count),
    "confusionFigure",
    "confusion",
    `${count}x${count} voxel counts, a row and a column per class`,
    confusion.map((row) => row.length),
  );
  const names = classes.map((name) => (name.length > 20 ? `${name.slice(0, 19)}…` : name));
  const cell = Math.max(count <= 20 ? LEAST_CELL : 12, Math.min(112, Math.floor(620 / count)));
  const longest = Math.max(...names.map((name) => name.length)) * 7.2;
  const isUpright = longest > cell - 8;
  const left = 52 + Math.max(longest, 66);
  const margins = { left, right: 30, top: 74 + (isUpright ? longest : 18), bottom: 24 };
  const size = cell * count;
  const chart = await ChartCanvas.open({
    where: "confusionFigure",
    title,
    width: Math.max(380, Math.ceil(left + size + margins.right)),
    height: Math.ceil(margins.top + size + margins.bottom),
    leastSize: 100,
    margins,
  });
  const { ctx } = chart;
  chart.sideTitle("True class");
  chart.text("Predicted class", left + size / 2, 52, { size: 13, color: "#333333" });
  for (const [at, name] of names.entries()) {
    const middle = (at + 0.5) * cell;
    const sum = confusion[at]!.reduce((total, voxels) => total + voxels, 0);
    const hasSum = cell >= LEAST_CELL;
    chart.text(name, left - 8, margins.top + middle - (hasSum ? 8 : 0), { align: "right", color: "#222222" });
    if (hasSum) chart.text(short(sum), left - 8, margins.top + middle + 9, { size: 11, align: "right", color: "#777777" });
    ctx.save();
    ctx.translate(left + middle, margins.top - 8);
    if (isUpright) ctx.rotate(-Math.PI / 2);
    chart.text(name, 0, isUpright ? 0 : -4, { align: isUpright ? "left" : "center", color: "#222222" });
    ctx.restore();
  }
  for (const [truth, row] of confusion.entries()) {
    const sum = row.reduce((total, voxels) => total + voxels, 0);
    for (const [predicted, voxels] of row.entries()) {
      const share = sum > 0 ? voxels / sum : 0;
      const depth = truth === predicted ? share : Math.sqrt(share);
      const [x, y] = [left + predicted * cell, margins.top + truth * cell];
      ctx.fillStyle = truth === predicted ? `rgba(31, 95, 191, ${0.85 * depth})` : `rgba(200, 50, 40, ${0.85 * depth})`;
      ctx.fillRect(x, y, cell, cell);
      ctx.strokeStyle = "#dddddd";
      ctx.lineWidth = cell >= LEAST_CELL ? 1 : 0.5;
      ctx.strokeRect(x, y, cell, cell);
      if (cell < LEAST_CELL) continue;
      const color = depth > 0.68 ? "#ffffff" : "#222222";
      chart.text(sum > 0 ? percent(share) : "-", x + cell / 2, y + cell / 2 - 8, { size: cell > 80 ? 15 : 11, color, weight: 600 });
      chart.text(short(voxels), x + cell / 2, y + cell / 2 + 11, { size: cell > 80 ? 12 : 10, color });
    }
  }
  return chart.encode();
}

/** Few voxels are not none, and nearly all are not all. */
function percent(share: number): string {
  if (share > 0 && share < 0.0001) return "<0.01%";
  const shown = (100 * share).toFixed(share < 0.1 ? 2 : 1);
  return share < 1 && Number(shown) === 100 ? ">99.9%" : `${shown}%`;
}

function short(voxels: number): string {
  if (voxels >= 1e9) return `${(voxels / 1e9).toPrecision(4)}G`;
  if (voxels >= 1e6) return `${(voxels / 1e6).toPrecision(4)}M`;
  return voxels >= 1e4 ? `${(voxels / 1e3).toPrecision(4)}k` : String(voxels);
}
