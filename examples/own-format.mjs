// A data set in a format that Voxstream does not know: NRRD, read by thirty lines of one's own. Cases are given as pairs of image and label files.
//   node examples/own-format.mjs data/nrrd
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { batch, cases, createTaskPool, inspectCases, load, normalize, patch, resample, run, SlabPool, to, VoxError } from "voxstream";

const TYPES = { short: Int16Array, "unsigned char": Uint8Array, uint8: Uint8Array, int16: Int16Array, float: Float32Array };
// The first letters of a space say where its axes point; ours point to Right, Anterior, Superior.
const TO_RAS = { "left-posterior-superior": [-1, -1, 1], "right-anterior-superior": [1, 1, 1] };

/** Voxels with the width fastest, so [depth, height, width, channels], and where they lie. */
function readNrrd(path) {
  const bytes = readFileSync(path);
  const end = bytes.indexOf("\n\n");
  const field = Object.fromEntries(
    bytes
      .toString("latin1", 0, end)
      .split("\n")
      .map((line) => line.split(/:=?\s*/)),
  );
  const [TypedArray, sign, sizes] = [TYPES[field.type], TO_RAS[field.space], field.sizes?.split(" ").map(Number)];
  if (!TypedArray || !sign || sizes?.length !== 3)
    throw new VoxError(`the NRRD file must have a known type and space and three axes`, { code: "ERR_FORMAT", where: path });
  const raw = field.encoding === "gzip" ? gunzipSync(bytes.subarray(end + 2)) : bytes.subarray(end + 2);
  const data = new TypedArray(raw.buffer.slice(raw.byteOffset, raw.byteOffset + sizes[0] * sizes[1] * sizes[2] * TypedArray.BYTES_PER_ELEMENT));
  // Columns of the affine: one step along width, height and depth; then the place of the first voxel.
  const columns = [...field["space directions"].matchAll(/\(([^)]+)\)/g), field["space origin"].match(/\(([^)]+)\)/)].map(([, text]) =>
    text.split(",").map(Number),
  );
  const affine = [...[0, 1, 2].flatMap((row) => columns.map((column) => sign[row] * column[row])), 0, 0, 0, 1];
  return { data, shape: [sizes[2], sizes[1], sizes[0], 1], affine };
}

export function nrrdCases({ root, classes }) {
  return {
    classes,
    channels: 1,
    // Files are named for whatever looks at them; what they hold is read below.
    list: async () =>
      readdirSync(root)
        .filter((name) => name.endsWith(".image.nrrd"))
        .sort()
        .map((name) => ({ id: name.replace(".image.nrrd", ""), images: [join(root, name)], label: join(root, name.replace(".image.", ".label.")) })),
    read: async ({ images, label }) => ({ image: readNrrd(images[0]), ...(label && { label: readNrrd(label) }) }),
  };
}

const data = nrrdCases({ root: process.argv[2] ?? "data/nrrd", classes: ["background", "kidney", "tumor"] });
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
await run("nrrd", [batches.pipe(to(show))], { context }).done;
await tasks.destroy();
