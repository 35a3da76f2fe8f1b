import { expect, it } from "vitest";
import { metricTitle } from "../../../src/evaluation/report/metric-title.js";

it("columns are named with their units, others as they are", () => {
  expect(["dice", "hd95", "nsd_2.5mm", "sensitivity", "volume_error_mm3", "myMetric"].map(metricTitle)).toEqual([
    "Dice",
    "HD95 (mm)",
    "NSD at 2.5 mm",
    "Sensitivity",
    "Volume error (mm³)",
    "MyMetric",
  ]);
});
