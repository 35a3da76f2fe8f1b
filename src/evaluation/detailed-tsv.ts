import type { EvaluationRow } from "./evaluation-summary.js";

/** One line per case and class (and fold of a cross-validation): names, state, voxel counts, volumes, metrics. An empty cell is NaN: it does not count. */
export function detailedTsv(rows: readonly EvaluationRow[]): string {
  const columns = Object.keys(rows[0]?.metrics ?? {});
  const hasFolds = rows.some(({ fold }) => fold !== undefined);
  const head = [
    "case",
    ...(hasFolds ? ["fold"] : []),
    "class",
    "labels",
    "state",
    "tp",
    "fp",
    "fn",
    "tn",
    "reference_mm3",
    "prediction_mm3",
    ...columns,
  ];
  const lines = rows.map(({ id, fold = "", class: name, labels, state, counts, volumes, metrics }) =>
    [
      id,
      ...(hasFolds ? [fold] : []),
      name,
      labels.join("+"),
      state,
      counts.tp,
      counts.fp,
      counts.fn,
      counts.tn,
      ...[volumes.reference, volumes.prediction, ...columns.map((column) => metrics[column]!)].map(cell),
    ].join("\t"),
  );
  return `${[head.join("\t"), ...lines].join("\n")}\n`;
}

function cell(value: number): string {
  return Number.isNaN(value) ? "" : String(Number(value.toPrecision(9)));
}
