// What each technique of augment() makes of a slice, labels outlined, as one picture to look at before a long training.
//   voxstream phantom data/phantoms && node examples/augmentation.mjs data/phantoms augmentation.png
import { writeFileSync } from "node:fs";
import { createCanvas } from "@napi-rs/canvas";
import { augment, cases, classColor, clip, createTaskPool, load, niftiCases, normalize, patch, resample, run, SlabPool, to } from "voxstream";

const off = { rotation: false, scaling: false, contrast: false, brightness: false, gamma: false, noise: false, probability: 1 };
const pictures = {
  original: off,
  mirror: { ...off, mirror: { axes: ["width"], probability: 1 } },
  rotation: { ...off, rotation: { degrees: [30, 0, 0] } },
  scaling: { ...off, scaling: { range: [1.2, 1.4] } },
  "scaling per axis": { ...off, scaling: { range: [0.7, 1.4], independent: 1 } },
  translation: { ...off, translation: { share: [0, 0.2, 0.2] } },
  elastic: { ...off, elastic: { alpha: [800, 900], sigma: [9, 9] } },
  contrast: { ...off, contrast: { range: [2.5, 3] } },
  brightness: { ...off, brightness: { range: [1.8, 2] } },
  "additive brightness": { ...off, additiveBrightness: { mean: 0.6, deviation: 0.1 } },
  gamma: { ...off, gamma: { range: [1.5, 1.5] } },
  "inverted gamma": { ...off, invertedGamma: { range: [1.5, 1.5] } },
  noise: { ...off, noise: { deviation: [0.25, 0.3] } },
  blur: { ...off, blur: { sigma: [1.5, 1.5] } },
  "low resolution": { ...off, lowResolution: { zoom: [0.4, 0.4] } },
  'preset "nnunet"': { preset: "nnunet", probability: 1, mirror: { probability: 1 } },
};

const data = niftiCases({ root: process.argv[2] ?? "data/phantoms", classes: ["background", "kidney", "tumor"] });
const [ref] = await data.list();
const tasks = createTaskPool({ threads: 1 });
const context = { seed: 3, mode: "training", pool: new SlabPool({ budget: 512 * 1024 ** 2 }), tasks, onError: "fail" };

const [side, columns, gap, title] = [144, 4, 8, 22];
const rows = Math.ceil(Object.keys(pictures).length / columns);
const canvas = createCanvas(columns * (side + gap) + gap, rows * (side + title + gap) + gap);
const pen = canvas.getContext("2d");
pen.fillStyle = "#ffffff";
pen.fillRect(0, 0, canvas.width, canvas.height);
pen.font = "13px sans-serif";

/** The middle slice of a patch, its labels outlined. */
function draw({ image, label }, name, index) {
  const [depth, height, width] = image.shape;
  const from = Math.floor(depth / 2) * height * width;
  const tile = createCanvas(width, height);
  const pixels = tile.getContext("2d").createImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Height grows to the front and width to the patient's right: the usual view is upside down.
      const at = from + (height - 1 - y) * width + x;
      const own = label.data[at];
      const isEdge = own > 0 && [1, -1, width, -width].some((step) => label.data[at + step] !== own);
      const gray = Math.round(((image.data[at] + 1.3) / 4.5) * 255);
      pixels.data.set(isEdge ? [...classColor(own), 255] : [gray, gray, gray, 255], (y * width + x) * 4);
    }
  }
  tile.getContext("2d").putImageData(pixels, 0, 0);
  const [left, top] = [gap + (index % columns) * (side + gap), gap + Math.floor(index / columns) * (side + title + gap)];
  pen.drawImage(tile, left, top + title, side, side);
  pen.fillStyle = "#1a1a1a";
  pen.fillText(name, left, top + title - 6);
}

for (const [index, [name, options]] of Object.entries(pictures).entries()) {
  const flow = cases(data, { refs: [ref], order: "sorted" }).pipe(
    load(),
    clip({ min: -100, max: 300 }),
    resample({ spacing: [3, 2, 2] }),
    normalize(),
    patch({ size: [16, 112, 112], foreground: 1 }), // cut as wide as augment needs
    augment(options),
  );
  await run(name, [flow.pipe(to((sample) => draw(sample, name, index)))], { context }).done;
}
await tasks.destroy();
const file = process.argv[3] ?? "augmentation.png";
writeFileSync(file, await canvas.encode("png"));
console.log(`${file}: ${Object.keys(pictures).length} pictures`);
