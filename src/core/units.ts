/** Lengths in millimeters. */
export type Millimeters = number;
/** Lengths or positions in voxels. */
export type Voxels = number;
