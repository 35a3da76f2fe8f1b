import { expect, test } from "vitest";
import { topConfusions } from "../../../src/server/page/data/top-confusions.js";

const classes = ["background", "liver", "gallbladder"];
const confusion = [
  [9000, 700, 0],
  [400, 5000, 20],
  [30, 10, 60],
];
const pairs = (by: "share" | "voxels", most = 9) =>
  topConfusions(classes, confusion, { by, most }).map(({ truth, predicted, voxels, share }) => [truth, predicted, voxels, Number(share.toFixed(4))]);

test("confusions come by the share of the true class, so that small organs are not lost behind large ones", () => {
  expect(pairs("share")).toEqual([
    ["gallbladder", "background", 30, 0.3],
    ["gallbladder", "liver", 10, 0.1],
    ["liver", "background", 400, 0.0738],
    ["background", "liver", 700, 0.0722],
    ["liver", "gallbladder", 20, 0.0037],
  ]);
});

test("or by voxels, at most so many", () => {
  expect(pairs("voxels", 2)).toEqual([
    ["background", "liver", 700, 0.0722],
    ["liver", "background", 400, 0.0738],
  ]);
  expect(
    topConfusions(
      ["a", "b"],
      [
        [5, 0],
        [0, 0],
      ],
      { by: "share", most: 5 },
    ),
  ).toEqual([]);
});
