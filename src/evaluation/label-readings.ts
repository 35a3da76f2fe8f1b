import type { CaseReading, DataSet } from "../core/case.js";
import { caseReading, type ReadingOptions } from "../io/case-reading.js";

/** What stored values and pixels of references mean: as the data set says, or for files in a folder as is given. */
export async function labelReadings(
  labels: string | DataSet,
  given: Pick<ReadingOptions, "labels" | "spacing"> = {},
  classes: readonly string[] = [],
): Promise<(id: string) => CaseReading | undefined> {
  const all = caseReading("evaluate", given, classes);
  if (typeof labels === "string") return () => all;
  const own = new Map((await labels.list()).map(({ id, reading }) => [id, reading]));
  return (id) => all ?? own.get(id);
}
