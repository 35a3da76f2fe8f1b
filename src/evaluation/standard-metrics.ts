import { requireKnownOptions } from "../core/require-known-options.js";
import type { Millimeters } from "../core/units.js";
import {
  absoluteVolumeError,
  accuracy,
  assd,
  dice,
  hd,
  hd95,
  iou,
  lesionF1,
  type Metric,
  nsd,
  precision,
  sensitivity,
  specificity,
  volumeError,
} from "../metrics/index.js";

export interface StandardMetricsOptions {
  /** For NSD. */
  readonly tolerance?: Millimeters;
}

/** What every evaluation reports, by column name; lengths in mm, volumes in mm³. */
export function standardMetrics({ tolerance = 1, ...unknown }: StandardMetricsOptions = {}): Readonly<Record<string, Metric>> {
  requireKnownOptions("standardMetrics", unknown, ["tolerance"]);
  return {
    dice,
    iou,
    sensitivity,
    precision,
    specificity,
    accuracy,
    hd,
    hd95,
    assd,
    [`nsd_${tolerance}mm`]: (comparison) => nsd(comparison, { tolerance }),
    lesion_f1: (comparison) => lesionF1(comparison),
    volume_error: volumeError,
    volume_error_mm3: absoluteVolumeError,
  };
}
