import type { Rgb } from "./class-color.js";

/** What a voxel of a prediction is, beside background that is right. */
export type ErrorKind = "right" | "added" | "missed" | "confused";

/** Labels of an error map, above those of classes (at most 16 bits), with color and name. */
export const ERROR_KINDS: Readonly<Record<ErrorKind, { readonly label: number; readonly color: Rgb; readonly name: string }>> = {
  right: { label: 70_001, color: [70, 190, 100], name: "right (TP)" },
  added: { label: 70_002, color: [255, 130, 30], name: "added (FP)" },
  missed: { label: 70_003, color: [40, 205, 225], name: "missed (FN)" },
  confused: { label: 70_004, color: [250, 235, 110], name: "other class" },
};

/**
 * The label of a voxel in a map of errors: foreground that is right, added, missed, or of another class; 0 for background in both.
 *
 * @example
 * errorLabel(1, 0); // ERROR_KINDS.missed.label
 */
export function errorLabel(reference: number, prediction: number): number {
  if (reference === prediction) return reference === 0 ? 0 : ERROR_KINDS.right.label;
  if (reference === 0) return ERROR_KINDS.added.label;
  return prediction === 0 ? ERROR_KINDS.missed.label : ERROR_KINDS.confused.label;
}

/** The color of an error label; undefined for labels of classes. */
export function errorColor(label: number): Rgb | undefined {
  return Object.values(ERROR_KINDS).find((kind) => kind.label === label)?.color;
}
