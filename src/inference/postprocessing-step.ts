/** What happens to a label map after prediction: small islands become background. */
export type PostprocessingStep =
  | {
      readonly operation: "keepLargest";
      /** Taken together as one mask. */
      readonly classes: readonly string[];
      /** How many components stay. */
      readonly count: number;
    }
  | {
      readonly operation: "minimalSize";
      readonly classes: readonly string[];
      /** A component stays when it is as large as this or larger. */
      readonly size: number;
      readonly unit: "mm3" | "voxels";
    };
