/** Voxels of a label map; 16 bits above 255 labels. */
export type LabelArray = Uint8Array | Uint16Array;
