import { expect, it } from "vitest";
import { didYouMean } from "../../src/core/did-you-mean.js";

it("names the nearest known name, and nothing when none is near", () => {
  expect(didYouMean("kidny", ["background", "kidney", "tumor"])).toBe("; did you mean kidney?");
  expect(didYouMean("KIDNEY", ["background", "kidney", "tumor"])).toBe("; did you mean kidney?");
  expect(didYouMean("spleen", ["background", "kidney", "tumor"])).toBe("");
});
