import type { Table } from "../../files/parse-tsv.js";

/** Voxels of a class over all cases. */
export interface ClassCounts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
}

/** The scores of `detailed.tsv`, which has one row per case and class. */
export interface CaseScores {
  readonly cases: readonly string[];
  readonly classes: readonly string[];
  readonly metrics: readonly string[];
  readonly counts: ReadonlyMap<string, ClassCounts>;
  /** Undefined where the metric does not count or the case has no such row. */
  value(id: string, name: string, metric: string): number | undefined;
  /** "ok", "both_empty", "ref_empty" or "pred_empty". */
  state(id: string, name: string): string;
  /** Mean over the classes. */
  mean(id: string, metric: string): number | undefined;
}

const LEADING = ["case", "class", "labels", "state", "tp", "fp", "fn", "tn", "reference_mm3", "prediction_mm3"];

/** Reads the table of an evaluation; undefined when it is of another make. */
export function caseScores({ columns, rows }: Table): CaseScores | undefined {
  const at = new Map(columns.map((name, i) => [name, i]));
  const [caseAt, classAt] = [at.get("case"), at.get("class")];
  if (caseAt === undefined || classAt === undefined) return undefined;
  const metrics = columns.filter((name) => !LEADING.includes(name));
  const byKey = new Map(rows.map((row) => [JSON.stringify([row[caseAt], row[classAt]]), row]));
  const row = (id: string, name: string) => byKey.get(JSON.stringify([id, name]));
  const number = (cell: string | undefined) =>
    cell === undefined || cell.trim() === "" || !Number.isFinite(Number(cell)) ? undefined : Number(cell);
  const cases = [...new Set(rows.map((cells) => cells[caseAt]!))];
  const classes = [...new Set(rows.map((cells) => cells[classAt]!))];
  const value = (id: string, name: string, metric: string) => number(row(id, name)?.[at.get(metric) ?? -1]);
  const sum = (name: string, column: string) =>
    rows.reduce((total, cells) => total + (cells[classAt] === name ? (number(cells[at.get(column) ?? -1]) ?? 0) : 0), 0);
  return {
    cases,
    classes,
    metrics,
    counts: new Map(classes.map((name) => [name, { tp: sum(name, "tp"), fp: sum(name, "fp"), fn: sum(name, "fn") }])),
    value,
    state: (id, name) => row(id, name)?.[at.get("state") ?? -1] ?? "",
    mean: (id, metric) => {
      // Regions, whose labels are written as 1+2, are no part of means over classes.
      const single = classes.filter((name) => !(row(id, name)?.[at.get("labels") ?? -1] ?? "").includes("+"));
      const known = single.map((name) => value(id, name, metric)).filter((entry) => entry !== undefined);
      return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0) / known.length;
    },
  };
}

/** How the values of a metric are read and written. */
export interface MetricKind {
  /** Between 0 and 1, where 1 is best. */
  readonly isScore: boolean;
  readonly isLowerBetter: boolean;
  readonly unit: string;
}

/** The kind of a column by its name. */
export function metricKind(name: string): MetricKind {
  if (/^(hd|hd95|assd|masd)/.test(name)) return { isScore: false, isLowerBetter: true, unit: "mm" };
  if (/volume_error/.test(name)) return { isScore: false, isLowerBetter: true, unit: /mm3/.test(name) ? "mm³" : "" };
  return { isScore: true, isLowerBetter: false, unit: "" };
}
