import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where compiled modules lie: config files are loaded by threads, which cannot read TypeScript sources. */
const dist = (path: string): string => JSON.stringify(new URL(`../../dist/${path}`, import.meta.url).href);

export interface TinyConfigFileOptions {
  readonly name?: string;
  readonly cases?: number;
  readonly epochs?: number;
  /** Source text of fields put last, so that they win. */
  readonly fields?: string;
  /** Source text of fields of `training`. */
  readonly training?: string;
  /** Source text of operators in front of `load`. */
  readonly before?: string;
}

/** Writes a config file on generated planar cases and gives its path. */
export function tinyConfigFile(
  folder: string,
  { name = "tiny", cases = 4, epochs = 2, fields = "", training = "", before = "" }: TinyConfigFileOptions = {},
): string {
  const path = join(folder, `${name}.config.mjs`);
  writeFileSync(
    path,
    `import { existsSync } from "node:fs";
import { Random } from ${dist("core/random.js")};
import { defineConfig } from ${dist("training/config/define-config.js")};
import { plateau } from ${dist("training/schedules/plateau.js")};
import { softDice } from ${dist("losses/soft-dice.js")};
import { tverskyLoss } from ${dist("losses/tversky-loss.js")};
import { unet } from ${dist("models/unet.js")};
import { load } from ${dist("operators/load/load.js")};
import { patch } from ${dist("operators/patch/patch.js")};
import { batch } from ${dist("operators/stream/batch.js")};
import { shuffle } from ${dist("operators/stream/shuffle.js")};
import { mapAsync } from ${dist("streams/index.js")};

function tinyCase(id) {
  const random = new Random("tiny", id);
  const image = Float32Array.from({ length: 256 }, () => 0.3 * random.normal());
  const label = new Uint8Array(256);
  const [y0, x0] = [random.integer(1, 8), random.integer(1, 8)];
  for (let y = y0; y < y0 + 6; y++) for (let x = x0; x < x0 + 6; x++) { image[y * 16 + x] += 2; label[y * 16 + x] = 1; }
  return { image: { data: image, shape: [1, 16, 16, 1] }, label: { data: label, shape: [1, 16, 16, 1] } };
}
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export default defineConfig({
  data: {
    classes: ["background", "square"],
    channels: 1,
    list: async () => Array.from({ length: ${cases} }, (_, k) => ({ id: "case_" + k, images: [] })),
    read: async (ref) => tinyCase(ref.id),
  },
  split: { validation: 0.25 },
  graph: ({ cases }) => cases.pipe(${before}load(), patch({ size: [1, 8, 8], perCase: 3 }), shuffle({ window: 4 }), batch({ size: 2 })),
  model: unet({ filters: 2, depth: 1 }),
  loss: tverskyLoss(),
  metrics: [softDice()],
  training: { epochs: ${epochs}, learningRate: 1e-2, schedule: plateau({ patience: 1, minDelta: 0.5, cooldown: 0 }), ${training} },
  workers: 1,
  memory: "64MB",
  runs: ${JSON.stringify(folder)},
  ${fields}
});
`,
  );
  return path;
}
