const TITLES: Readonly<Record<string, string>> = {
  dice: "Dice",
  iou: "IoU",
  hd: "HD (mm)",
  hd95: "HD95 (mm)",
  assd: "ASSD (mm)",
  lesion_f1: "Lesion-wise F1",
  volume_error: "Volume error (relative)",
  volume_error_mm3: "Volume error (mm³)",
};

/**
 * What a column of `detailed.tsv` is called in reports and figures.
 *
 * @example
 * metricTitle("nsd_1mm"); // "NSD at 1 mm"
 */
export function metricTitle(column: string): string {
  const known = TITLES[column] ?? column.replace(/^nsd_(.*)mm$/, "NSD at $1 mm");
  return known.charAt(0).toUpperCase() + known.slice(1);
}
