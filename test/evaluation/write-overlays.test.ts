import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate, writeOverlays } from "../../src/evaluation/index.js";
import { predict } from "../../src/inference/index.js";
import { niftiCases } from "../../src/io/nifti-cases.js";
import { writePhantoms } from "../../src/io/phantom/write-phantoms.js";
import { saveBundle } from "../../src/training/bundle/save-bundle.js";
import { identityBundle } from "../inference/identity-model.js";
import { decode, gifFrames } from "./figures/pixels.js";

const CLASSES = ["background", "kidney", "tumor"];
const folder = mkdtempSync(join(tmpdir(), "voxstream-overlays-"));
const root = join(folder, "data");
const predictions = join(folder, "predictions");

beforeAll(async () => {
  await writePhantoms({ folder: root, cases: 2, shape: [16, 32, 32], seed: 3 });
  await tf.setBackend("cpu");
  // The label maps themselves go through a saved bundle, so the predictions are perfect.
  const { model, description } = identityBundle(CLASSES, [8, 16, 16]);
  await saveBundle(join(folder, "bundle"), model, description);
  const data = niftiCases({ root, classes: CLASSES });
  const inputs = { ...data, list: async () => (await data.list()).map(({ id, label }) => ({ id, images: [label!] })) };
  await predict({ bundle: join(folder, "bundle"), inputs, output: predictions, engine: "cpu", workers: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("from a saved bundle to pictures", () => {
  it("predictions of an identity bundle score 1 against the labels, whatever the orientation of the files", async () => {
    const { summary } = await evaluate({ predictions, labels: root, classes: CLASSES });
    expect(summary.cases).toBe(2);
    for (const name of ["kidney", "tumor"]) {
      expect(summary.classes[name]!.metrics.dice).toMatchObject({ n: 2, min: 1 });
      expect(summary.classes[name]!.metrics.hd).toMatchObject({ max: 0 });
    }
  });

  it("draws a GIF and a PNG per case; both sides of a perfect prediction are equally colored", async () => {
    const output = join(folder, "overlays");
    const data = niftiCases({ root, classes: CLASSES });
    const { rows } = await evaluate({ predictions, labels: data });
    const seen: string[] = [];
    const written = await writeOverlays({
      images: data,
      labels: data,
      predictions,
      classes: CLASSES,
      output,
      rows,
      window: { min: -160, max: 240 },
      panelSize: 200,
      onCase: ({ id }) => seen.push(id),
    });
    expect(readdirSync(output).sort()).toEqual(["case_00000.gif", "case_00000.png", "case_00001.gif", "case_00001.png"]);
    expect(seen).toEqual(["case_00000", "case_00001"]);
    expect(gifFrames(readFileSync(written[0]!.gif)).frames).toBe(16);
    const picture = await decode(readFileSync(written[0]!.png));
    const colored = (left: number): number => picture.count((r, g, b) => Math.max(r, g, b) - Math.min(r, g, b) > 40, [left, 66, 200, 200]);
    expect(colored(14)).toBeGreaterThan(500);
    expect(colored(14)).toBe(colored(14 + 200 + 12));
  });

  it("only the wanted cases are drawn; none at all is an error", async () => {
    const output = join(folder, "one");
    await writeOverlays({ images: root, predictions, classes: CLASSES, output, ids: ["case_00001"], panelSize: 64 });
    expect(readdirSync(output).sort()).toEqual(["case_00001.gif", "case_00001.png"]);
    await expect(writeOverlays({ images: root, predictions: folder, classes: CLASSES, output })).rejects.toMatchObject({ code: "ERR_EMPTY" });
    expect(existsSync(join(output, "case_00000.gif"))).toBe(false);
  });
});
