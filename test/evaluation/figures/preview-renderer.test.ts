import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { classColor } from "../../../src/evaluation/figures/class-color.js";
import { previewRenderer } from "../../../src/evaluation/figures/preview-renderer.js";
import type { PreviewInput, PreviewRenderer } from "../../../src/training/run/preview-input.js";
import { decode } from "./pixels.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-preview-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const input = (epoch: number): PreviewInput => ({
  id: "case_00003#2",
  epoch,
  image: Float32Array.from({ length: 4 * 8 * 8 }, (_, i) => Math.sin(i)),
  shape: [4, 8, 8, 1],
  label: Uint8Array.from({ length: 256 }, (_, i) => (i >= 64 && i < 96 ? 1 : 0)),
  prediction: Uint16Array.from({ length: 256 }, (_, i) => (i >= 64 && i < 80 ? 2 : 0)),
  classes: ["background", "kidney", "tumor"],
  folder,
});

describe("previewRenderer", () => {
  it("writes one picture per epoch into the run folder, tells its relative path, and keeps the newest", async () => {
    // Training's own type: the two must fit each other.
    const render: PreviewRenderer = previewRenderer({ keep: 2 });
    expect(await render(input(1))).toBe("previews/epoch-00001.png");
    await render(input(2));
    await render(input(2));
    expect(await render(input(13))).toBe("previews/epoch-00013.png");
    expect(readdirSync(join(folder, "previews")).sort()).toEqual(["epoch-00002.png", "epoch-00013.png"]);
    const picture = await decode(readFileSync(join(folder, "previews/epoch-00013.png")));
    for (const label of [1, 2]) {
      const color = classColor(label);
      expect(picture.count((r, g, b) => r === color[0] && g === color[1] && b === color[2])).toBeGreaterThan(200);
    }
  });
});
