import { containedPath } from "../files/contained-path.js";
import { parseJson } from "../files/parse-json.js";
import { readText } from "../files/read-text.js";

type Counts = readonly (readonly number[])[];

/** Voxels class against class: row = true class, column = predicted class, in the order of `classes`. */
export interface ConfusionTables {
  readonly classes: readonly string[];
  /** Over all cases. */
  readonly confusion: Counts;
  readonly cases: readonly { readonly id: string; readonly confusion: Counts }[];
}

const MOST_BYTES = 8 << 20;
/** Label maps of whole bodies have more than a hundred. */
const MOST_CLASSES = 512;

/** `evaluation/confusion.json` of a run's folder, or what its summary says of all cases; undefined where an earlier version has evaluated. */
export async function readConfusion(folder: string, summary: unknown): Promise<ConfusionTables | undefined> {
  const path = await containedPath(folder, "evaluation", "confusion.json");
  // One that is too long to send leaves what the summary says.
  const text = path ? await readText(path, MOST_BYTES).catch(() => "") : "";
  const own = fieldsOf(parseJson(text));
  const { confusion, confusionClasses } = fieldsOf(summary);
  return tablesOf(own.classes, own.confusion, own.cases) ?? tablesOf(confusionClasses, confusion, []);
}

/** Only whole tables of one size: half of one, or one of another make, would mislead. */
function tablesOf(classes: unknown, confusion: unknown, cases: unknown): ConfusionTables | undefined {
  if (!Array.isArray(classes) || classes.length < 2 || classes.length > MOST_CLASSES || !classes.every((name) => typeof name === "string"))
    return undefined;
  if (!isTable(confusion, classes.length)) return undefined;
  const known = (Array.isArray(cases) ? cases : []).flatMap((entry) => {
    const { id, confusion: counts } = fieldsOf(entry);
    return typeof id === "string" && isTable(counts, classes.length) ? [{ id, confusion: counts }] : [];
  });
  return { classes, confusion, cases: known };
}

function isTable(value: unknown, size: number): value is Counts {
  return (
    Array.isArray(value) &&
    value.length === size &&
    value.every((row) => Array.isArray(row) && row.length === size && row.every((count) => Number.isFinite(count) && count >= 0))
  );
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
