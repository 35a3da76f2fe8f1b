// CT or MR series with contours (RTSTRUCT) or segments (SEG), read where they lie: what there is, and each image and label map as NIfTI on the grid of its series.
//   node examples/dicom.mjs data/lctsc data/lctsc-nifti '{ "Lung_L": 1, "Lung_R": 1, "Heart": 2 }'
import { join } from "node:path";
import { dicomCases, loadCase, readHeader, writeVolume } from "voxstream";

const [root = "data/dicom", output = "data/nifti", names = '{ "Kidney": 1 }'] = process.argv.slice(2);
const structures = JSON.parse(names);
const classes = Array.from({ length: Math.max(...Object.values(structures)) + 1 }, (_, label) =>
  label === 0 ? "background" : Object.keys(structures).filter((name) => structures[name] === label).join(" and "),
);

const data = dicomCases({ root, classes, structures });
for (const ref of await data.list()) {
  // Where the voxels lie; predictions are written onto such a grid, too.
  const { source } = await readHeader(ref.images[0]);
  const { shape, geometry, image, label } = await loadCase(data, ref);
  const spacing = geometry.spacing.map((side) => side.toFixed(2)).join(" ");
  console.log(`${ref.id}: ${shape.join("x")}, ${spacing} mm, ${label ? label.filter((value) => value > 0).length : "no"} labelled voxels`);
  await writeVolume(join(output, ref.id, "imaging.nii.gz"), image, shape, source, { kind: "int16" });
  if (label) await writeVolume(join(output, ref.id, "segmentation.nii.gz"), label, [...shape.slice(0, 3), 1], source, { kind: "label" });
}
