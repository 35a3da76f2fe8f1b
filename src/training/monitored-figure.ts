import { VoxError } from "../core/errors.js";
import { sharedError } from "./ranks/together.js";

/**
 * The monitored figure of an epoch, turned so that smaller is better; undefined in an epoch without validation when that is monitored.
 *
 * @throws `ERR_CONFIG` when no column has the name
 */
export function monitoredFigure(columns: Readonly<Record<string, number | undefined>>, monitor: string): number | undefined {
  if (!(monitor in columns)) {
    const known = Object.keys(columns).filter((name) => name !== "epoch");
    throw sharedError(new VoxError(`training.monitor must be one of ${known.join(", ")}, got "${monitor}"`, { code: "ERR_CONFIG", where: "config" }));
  }
  const value = columns[monitor];
  return value === undefined || /loss$/i.test(monitor) ? value : -value;
}
