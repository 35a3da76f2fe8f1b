import { join } from "node:path";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { writeAtomically } from "../../io/write-atomically.js";
import { curveFigure } from "./curve-figure.js";
import { readHistory } from "./read-history.js";

export interface HistoryFiguresOptions {
  /** A run's `history.tsv`. */
  readonly history: string;
  /** Folder for the figures; made where absent. */
  readonly output: string;
}

/**
 * One PNG per column of a `history.tsv`, training and validation in one figure: `loss.png`, `<metric>.png`, `learning-rate.png`.
 *
 * @returns the paths, in the order of the columns
 * @throws `ERR_OPTION`; `ERR_READ`, `ERR_FORMAT`, `ERR_WRITE`
 * @example
 * await historyFigures({ history: "runs/demo/history.tsv", output: "runs/demo/figures" });
 */
export async function historyFigures({ history, output, ...unknown }: HistoryFiguresOptions): Promise<string[]> {
  requireKnownOptions("historyFigures", unknown, ["history", "output"]);
  const columns = await readHistory(history);
  const x = columns.get("epoch")!;
  const names = [...columns.keys()].filter((name) => name !== "epoch");
  const bases = [...new Set(names.map((name) => name.replace(/^val_/, "")))];
  const written: string[] = [];
  for (const base of bases) {
    const train = columns.get(base);
    const validation = columns.get(`val_${base}`);
    const isRate = base === "lr";
    const values = [...(train ?? []), ...(validation ?? [])].filter((value) => Number.isFinite(value));
    if (values.length === 0) continue;
    const path = join(output, isRate ? "learning-rate.png" : `${base.replace(/[^A-Za-z0-9._-]+/g, "-")}.png`);
    const figure = await curveFigure({
      title: titleOf(base),
      x,
      yLabel: isRate ? "Learning rate" : titleOf(base),
      isLogarithmic: isRate && values.every((value) => value > 0) && Math.max(...values) >= 3 * Math.min(...values),
      curves: [
        ...(train ? [{ name: isRate ? "Learning rate" : "Training", values: train }] : []),
        ...(validation ? [{ name: "Validation", values: validation }] : []),
      ],
      ...(isOverlap(base) && values.every((value) => value >= 0 && value <= 1) ? { range: [0, 1] as const } : {}),
    });
    await writeAtomically(path, [figure]);
    written.push(path);
  }
  return written;
}

function isOverlap(name: string): boolean {
  return /dice|iou|jaccard|accuracy|sensitivity|precision|specificity|nsd/i.test(name);
}

/** `softDice_kidney` → `Soft dice kidney`. */
function titleOf(name: string): string {
  if (name === "lr") return "Learning rate";
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll(/[_-]+/g, " ")
    .toLowerCase()
    .replaceAll(/\bdice\b/g, "Dice")
    .replaceAll(/\biou\b/g, "IoU");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
