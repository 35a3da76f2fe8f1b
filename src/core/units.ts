/** Lengths in millimeters. */
export type Millimeters = number;
/** Lengths or positions in voxels. */
export type Voxels = number;

/** CT intensity: -1000 is air, 0 is water. */
export type Hounsfield = number;
