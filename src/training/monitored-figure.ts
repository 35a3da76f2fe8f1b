import { VoxError } from "../core/errors.js";
import { sharedError } from "./ranks/together.js";

/**
 * The monitored figure of an epoch, turned so that smaller is better; undefined in an epoch in which there is none: without validation when
 * that is monitored, or where it is no number. Such an epoch decides nothing.
 *
 * @throws `ERR_CONFIG` when no column has the name
 */
export function monitoredFigure(columns: Readonly<Record<string, number | undefined>>, monitor: string): number | undefined {
  if (!(monitor in columns)) {
    const known = Object.keys(columns).filter((name) => name !== "epoch");
    throw sharedError(new VoxError(`training.monitor must be one of ${known.join(", ")}, got "${monitor}"`, { code: "ERR_CONFIG", where: "config" }));
  }
  const value = columns[monitor];
  // One that is no number, such as the Dice of a class that no case has, would be the best for ever: nothing is smaller.
  if (value === undefined || Number.isNaN(value)) return undefined;
  return /loss$/i.test(monitor) ? value : -value;
}
