import type { CaseRef } from "../../core/case.js";
import { type CaseIntensities, caseIntensities } from "../../io/foreground-intensities.js";
import { loadCase } from "../../io/load-case.js";

export interface MeasureCasePayload {
  readonly ref: CaseRef;
  readonly classes: readonly string[];
  readonly channels: number;
}

/** The task `"measureCase"`: intensities of the foreground of one case, as its files hold them. */
export async function measureCase({ ref, classes, channels }: MeasureCasePayload): Promise<CaseIntensities | undefined> {
  const { image, label } = await loadCase({ classes, channels, list: async () => [ref] }, ref);
  return label && caseIntensities(image, channels, label);
}
