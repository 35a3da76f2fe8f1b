import type { CaseRef, DataSet } from "../../core/case.js";

/** One case in one epoch on its way to `load`; nothing is read yet. */
export interface CaseItem {
  /** The case id. */
  readonly id: string;
  readonly epoch: number;
  readonly ref: CaseRef;
  readonly data: DataSet;
}
