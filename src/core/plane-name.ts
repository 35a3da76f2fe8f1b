/** A direction of slicing: across the depth (axial), the height (coronal) or the width (sagittal) of canonical arrays. */
export type PlaneName = "axial" | "coronal" | "sagittal";

/** All of them. */
export const PLANES: readonly PlaneName[] = ["axial", "coronal", "sagittal"];
