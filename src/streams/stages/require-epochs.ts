import { requireOption } from "../../core/errors.js";

/** @throws `ERR_OPTION` when a number of epochs is none */
export function requireEpochs(name: string, epochs: number): void {
  const isCount = epochs === Number.POSITIVE_INFINITY || (Number.isInteger(epochs) && epochs >= 0);
  requireOption(isCount, name, "epochs", "an integer >= 0 or Infinity", epochs);
}
