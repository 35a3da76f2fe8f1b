/** Voxels of one case by class: `confusion[truth][prediction]`, both in the order of the classes, the background first. */
export interface CaseConfusion {
  readonly id: string;
  /** Of a cross-validation. */
  readonly fold?: number;
  readonly confusion: readonly (readonly number[])[];
}
