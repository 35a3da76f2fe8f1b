// A data set in a format that Voxstream does not know: arrays that numpy has saved, read by thirty lines of one's own. As nibabel gives them, they lie in
// (x, y, z): np.save("case_1.image.npy", image.get_fdata()), np.save("case_1.label.npy", ...), np.save("case_1.affine.npy", image.affine).
//   node examples/own-format.mjs data/npy
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { batch, cases, createTaskPool, inspectCases, load, normalize, patch, resample, run, SlabPool, to, VoxError } from "voxstream";

const TYPES = { i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array, i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array };

/** A saved array: its extents, and its elements with the last axis fastest, or the first one. */
function readNpy(path) {
  const bytes = readFileSync(path);
  // Magic, version, length of the header, and a header that is a dictionary of Python.
  const length = bytes[6] === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  const start = (bytes[6] === 1 ? 10 : 12) + length;
  const header = bytes.toString("latin1", start - length, start);
  const TypedArray = TYPES[/'descr': '[<|]([a-z]\d)'/.exec(header)?.[1]];
  if (!bytes.subarray(1, 6).equals(Buffer.from("NUMPY")) || !TypedArray) {
    throw new VoxError("the file must be an array of little-endian numbers that numpy saved", { code: "ERR_FORMAT", where: path });
  }
  const extents = /'shape': \(([^)]*)\)/.exec(header)[1].split(",").filter(Boolean).map(Number);
  return { data: new TypedArray(new Uint8Array(bytes.subarray(start)).buffer), extents, isFortran: header.includes("'fortran_order': True") };
}

/** What is fastest is the width, so [depth, height, width, channels]; the affine takes (width, height, depth) in this order. */
function volume(path, affine) {
  const { data, extents, isFortran } = readNpy(path);
  const columns = isFortran ? [0, 1, 2, 3] : [2, 1, 0, 3];
  return { data, shape: [...(isFortran ? [...extents].reverse() : extents), 1], affine: [0, 4, 8, 12].flatMap((row) => columns.map((column) => affine[row + column])) };
}

export function npyCases({ root, classes }) {
  return {
    classes,
    channels: 1,
    // Files are named for whatever looks at them; what they hold is read below.
    list: async () =>
      readdirSync(root)
        .filter((name) => name.endsWith(".image.npy"))
        .sort()
        .map((name) => ({ id: name.replace(".image.npy", ""), images: [join(root, name)], label: join(root, name.replace(".image.", ".label.")) })),
    read: async ({ images, label }) => {
      const affine = readNpy(images[0].replace(".image.", ".affine.")).data;
      return { image: volume(images[0], affine), ...(label && { label: volume(label, affine) }) };
    },
  };
}

const data = npyCases({ root: process.argv[2] ?? "data/npy", classes: ["background", "kidney", "tumor"] });
const { cases: found, totals } = await inspectCases(data);
for (const { id, shape, spacing, orientation } of found)
  console.log(`${id}: ${shape.join("x")}, ${spacing.map((side) => side.toFixed(2)).join(" ")} mm, ${orientation}`);
console.log(`voxels per class: ${totals.classVoxels.join(", ")}`);

const tasks = createTaskPool({ threads: 1 });
const context = { seed: 1, mode: "training", pool: new SlabPool({ budget: 256 * 1024 ** 2 }), tasks, onError: "fail" };
const batches = cases(data, { refs: await data.list() }).pipe(
  load(),
  resample({ spacing: [4, 2, 2] }),
  normalize(),
  patch({ size: [8, 16, 16], perCase: 2 }),
  batch({ size: 2 }),
);
const show = ({ image, parts }) => console.log(`${parts.map(({ id, patch: k }) => `${id} patch ${k}`).join(", ")}: ${image.shape.join("x")}`);
await run("npy", [batches.pipe(to(show))], { context }).done;
await tasks.destroy();
