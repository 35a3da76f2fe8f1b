export { decodeVoxels } from "./reference.js";
