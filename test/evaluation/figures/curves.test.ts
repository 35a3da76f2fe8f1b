import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { curveFigure } from "../../../src/evaluation/figures/curve-figure.js";
import { historyFigures } from "../../../src/evaluation/figures/history-figures.js";
import { readHistory } from "../../../src/evaluation/figures/read-history.js";
import { decode } from "./pixels.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-curves-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const isBlue = (r: number, g: number, b: number): boolean => b > r + 60 && b > g + 40;
const isOrange = (r: number, g: number, b: number): boolean => r > 180 && g > 80 && g < 180 && b < 90;
const isInk = (r: number, g: number, b: number): boolean => r < 110 && g < 110 && b < 110;

describe("curve figure", () => {
  it("draws both curves, title, axes and legend on white, without system fonts", async () => {
    const x = Array.from({ length: 50 }, (_, i) => i + 1);
    const picture = await decode(
      await curveFigure({
        title: "Loss",
        x,
        yLabel: "Loss",
        curves: [
          { name: "Training", values: x.map((e) => 2 / e) },
          { name: "Validation", values: x.map((e) => 2.5 / e) },
        ],
      }),
    );
    expect([picture.width, picture.height]).toEqual([1520, 880]);
    expect(picture.at(3, 3)).toEqual([255, 255, 255]);
    expect(picture.at(1516, 876)).toEqual([255, 255, 255]);
    expect(picture.count(isBlue)).toBeGreaterThan(3000);
    expect(picture.count(isOrange)).toBeGreaterThan(2000);
    expect(picture.count(isInk, [600, 0, 320, 70])).toBeGreaterThan(300); // title
    expect(picture.count(isInk, [600, 800, 320, 80])).toBeGreaterThan(200); // Epoch
    expect(picture.count(isInk, [0, 100, 120, 700])).toBeGreaterThan(500); // ticks and label of the vertical axis
    expect(picture.count(isInk, [1000, 70, 500, 70])).toBeGreaterThan(300); // legend
  });

  it("a falling curve falls: its line is high at the left and low at the right", async () => {
    const picture = await decode(await curveFigure({ title: "Loss", x: [1, 2], curves: [{ name: "Training", values: [1, 0] }] }));
    const rows = (left: number): number => {
      let sum = 0;
      let n = 0;
      for (let y = 0; y < picture.height; y++) if (picture.count(isBlue, [left, y, 1, 1])) [sum, n] = [sum + y, n + 1];
      return sum / n;
    };
    expect(rows(400)).toBeLessThan(rows(1100) - 200);
  });

  it("values that were not measured are bridged, a single one is a point", async () => {
    const sparse = await decode(
      await curveFigure({ title: "a", x: [1, 2, 3, 4, 5], curves: [{ name: "a", values: [1, Number.NaN, Number.NaN, Number.NaN, 2] }] }),
    );
    expect(sparse.count(isBlue, [600, 0, 300, 880])).toBeGreaterThan(200);
    const single = await decode(await curveFigure({ title: "a", x: [1], curves: [{ name: "a", values: [0.5] }] }));
    expect(single.count(isBlue)).toBeGreaterThan(10);
  });

  it("wrong curves are named", async () => {
    await expect(curveFigure({ title: "a", x: [1, 2], curves: [{ name: "b", values: [1] }] })).rejects.toThrow(
      "curveFigure: curve b must be 2 values, one per x, got 1",
    );
    await expect(curveFigure({ title: "a", x: [], curves: [] })).rejects.toThrow("curves must be at least one curve, got []");
  });
});

describe("history figures", () => {
  const path = join(folder, "history.tsv");

  it("one figure per column with training and validation together; learning rate on its own; empty columns give none", async () => {
    writeFileSync(
      path,
      "epoch\tloss\tsoftDice\tdice/kidney\tempty\tval_loss\tval_softDice\tlr\n1\t2\t0.1\t0.2\t\t2.5\t\t0.001\n2\t1\t0.5\t0.6\t\t1.5\t0.4\t0.001\n3\t0.5\t0.7\t0.8\t\t1\t0.6\t0.0001\n4\t0.4",
    );
    const written = await historyFigures({ history: path, output: join(folder, "figures") });
    expect(written.map((file) => basename(file))).toEqual(["loss.png", "softDice.png", "dice-kidney.png", "learning-rate.png"]);
    expect(readdirSync(join(folder, "figures")).sort()).toEqual(["dice-kidney.png", "learning-rate.png", "loss.png", "softDice.png"]);
    const loss = await decode(readFileSync(written[0]!));
    expect(loss.count(isBlue)).toBeGreaterThan(500);
    expect(loss.count(isOrange)).toBeGreaterThan(300);
    const kidney = await decode(readFileSync(written[2]!));
    expect(kidney.count(isOrange)).toBe(0);
  });

  it("reads whole lines only: the one that is being written is left out", async () => {
    const history = await readHistory(path);
    expect([...history.keys()]).toEqual(["epoch", "loss", "softDice", "dice/kidney", "empty", "val_loss", "val_softDice", "lr"]);
    expect(history.get("epoch")).toEqual([1, 2, 3]);
    expect(history.get("val_softDice")).toEqual([Number.NaN, 0.4, 0.6]);
    expect(history.get("empty")).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  it("a file that is no history, or none at all, is named", async () => {
    const other = join(folder, "other.tsv");
    writeFileSync(other, "case\tdice\na\t1\n");
    await expect(readHistory(other)).rejects.toThrow('other.tsv: the first column must be epoch, got "case"');
    await expect(readHistory(join(folder, "none.tsv"))).rejects.toMatchObject({ code: "ERR_READ" });
  });
});
