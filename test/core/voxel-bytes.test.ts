import { expect, it } from "vitest";
import { Block } from "../../src/core/block.js";
import { voxelBytes } from "../../src/core/voxel-bytes.js";

it("counts the voxels of samples and batches, and nothing else", () => {
  const image = new Block("float32", [2, 4, 4, 4, 1], new Float32Array(128));
  const label = new Block("uint8", [2, 4, 4, 4, 1], new Uint8Array(128));
  expect(voxelBytes({ image, label })).toBe(128 * 5);
  expect(voxelBytes({ image })).toBe(512);
  // A cached case is only named; its patches are read from the store.
  expect(voxelBytes({ image: { dtype: "float32", shape: [100, 100, 100, 1], readRegion: () => undefined } })).toBe(0);
  for (const other of [undefined, null, 7, "text", {}, { image: "photo.png" }, { image: { dtype: "complex", shape: [1] } }])
    expect(voxelBytes(other)).toBe(0);
});
