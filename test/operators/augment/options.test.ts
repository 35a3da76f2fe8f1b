import { expect, it } from "vitest";
import { VoxError } from "../../../src/core/errors.js";
import { augmentPlan } from "../../../src/operators/augment/augment-plan.js";
import { type AugmentOptions, augment } from "../../../src/operators/index.js";

function messageOf(options: object): string {
  try {
    augment(options as AugmentOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(VoxError);
    expect((error as VoxError).code).toBe("ERR_OPTION");
    return (error as VoxError).message;
  }
  return "nothing was thrown";
}

it("an unknown preset, technique or option of a technique names the nearest", () => {
  expect(messageOf({ preset: "nnUNet2" })).toBe('augment: preset must be one of miscnn, nnunet, got "nnUNet2"; did you mean nnunet?');
  expect(messageOf({ preset: 7 })).toContain("preset must be one of miscnn, nnunet, got 7");
  expect(messageOf({ rotations: true })).toContain("did you mean rotation?");
  expect(messageOf({ gamma: { ranges: [1, 2] } })).toMatch(/^augment: gamma: .*ranges.*did you mean range\?/);
  expect(messageOf({ mirror: { perChannel: true } })).toContain("perChannel");
});

it("every number outside its rule is named", () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ probability: 1.1 }, "augment: probability must be in 0..1, got 1.1"],
    [{ blur: { probability: -1 } }, "augment: blur.probability must be in 0..1, got -1"],
    [{ blur: { channelProbability: 2 } }, "augment: blur.channelProbability must be in 0..1, got 2"],
    [{ cycles: 0 }, "augment: cycles must be a whole number >= 1, got 0"],
    [{ inPlane: "sometimes" }, 'augment: inPlane must be true, false or "auto", got "sometimes"'],
    [{ order: 2 }, "augment: order must be 0, 1 or 3, got 2"],
    [{ labelOrder: 3 }, "augment: labelOrder must be 0 or 1, got 3"],
    [{ labels: "yes" }, 'augment: labels must be true or false, got "yes"'],
    [{ mirror: { axes: [] } }, 'augment: mirror.axes must be some of "depth", "height", "width", got []'],
    [{ mirror: "width" }, 'augment: mirror must be true, false or options, got "width"'],
    [{ rotation: { degrees: 200 } }, "augment: rotation.degrees must be one number or three in 0..180, got 200"],
    [{ rotation: { degrees: [1, 2] } }, "augment: rotation.degrees must be one number or three in 0..180, got [1,2]"],
    [{ rotation: { planarDegrees: -1 } }, "augment: rotation.planarDegrees must be one number or three in 0..180, got -1"],
    [{ scaling: { range: [1.2, 0.8] } }, "augment: scaling.range must be two ascending numbers > 0, got [1.2,0.8]"],
    [{ scaling: { independent: 3 } }, "augment: scaling.independent must be in 0..1, got 3"],
    [{ translation: { share: 1.5 } }, "augment: translation.share must be one number or three in 0..1, got 1.5"],
    [{ elastic: { alpha: [-1, 1] } }, "augment: elastic.alpha must be two ascending numbers >= 0, got [-1,1]"],
    [{ elastic: { sigma: [0, 3] } }, "augment: elastic.sigma must be two ascending numbers > 0, got [0,3]"],
    [{ gamma: { range: [0, 2] } }, "augment: gamma.range must be two ascending numbers > 0, got [0,2]"],
    [{ gamma: { balanced: 1 } }, "augment: gamma.balanced must be true or false, got 1"],
    [{ additiveBrightness: { deviation: -1 } }, "augment: additiveBrightness.deviation must be >= 0, got -1"],
    [{ additiveBrightness: { mean: Number.NaN } }, "augment: additiveBrightness.mean must be a finite number, got NaN"],
    [{ noise: { deviation: [-1, 1] } }, "augment: noise.deviation must be two ascending numbers >= 0, got [-1,1]"],
    [{ blur: { sigma: 1 } }, "augment: blur.sigma must be two ascending numbers >= 0, got 1"],
    [{ lowResolution: { zoom: [0.5, 1.5] } }, "augment: lowResolution.zoom must be two ascending numbers in (0, 1], got [0.5,1.5]"],
    [{ lowResolution: { upOrder: 0 } }, "augment: lowResolution.upOrder must be 1 or 3, got 0"],
  ];
  for (const [options, message] of cases) expect(messageOf(options)).toBe(message);
});

it("MIScnn's defaults are those of its Data_Augmentation", () => {
  const plan = augmentPlan({ preset: "miscnn" });
  expect(plan).toEqual(augmentPlan({}));
  expect(plan.mirror).toBeUndefined();
  expect(plan.elastic).toBeUndefined();
  expect(plan.rotation).toEqual({ probability: 0.15, degrees: [15, 15, 15], planarDegrees: 15, axisProbability: 1 });
  expect(plan.scaling).toEqual({ probability: 0.15, range: [0.85, 1.25], balanced: true, independent: 0 });
  expect(plan.intensity.map(({ technique, probability }) => [technique, probability])).toEqual(
    ["contrast", "brightness", "gamma", "noise"].map((technique) => [technique, 0.15]),
  );
  expect([plan.order, plan.labelOrder, plan.labels, plan.cycles, plan.inPlane]).toEqual([3, 0, true, 1, false]);
  const elastic = augmentPlan({ elastic: true, mirror: true });
  expect(elastic.elastic).toEqual({ probability: 0.15, alpha: [0, 900], sigma: [9, 13] });
  expect(elastic.mirror).toEqual({ probability: 0.5, axes: [true, true, true] });
});

it("a preset gives way to what is said beside it, technique by technique", () => {
  const plan = augmentPlan({
    preset: "nnunet",
    gamma: false,
    rotation: { degrees: [10, 0, 0] },
    elastic: { probability: 0.4 },
    blur: { sigma: [1, 2] },
    labelOrder: 0,
  });
  expect(plan.rotation).toEqual({ probability: 0.2, degrees: [10, 0, 0], planarDegrees: 180, axisProbability: 1 });
  expect(plan.elastic!.probability).toBe(0.4);
  expect(plan.intensity.map(({ technique }) => technique)).toEqual(["noise", "blur", "brightness", "contrast", "lowResolution", "invertedGamma"]);
  expect(plan.intensity[1]).toMatchObject({ sigma: [1, 2], probability: 0.2, channelProbability: 0.5, perAxis: true });
  expect([plan.labelOrder, plan.inPlane]).toEqual([0, "auto"]);
});

it("a probability for all comes before the preset's, a technique's own before both; mirror keeps its own", () => {
  const plan = augmentPlan({ preset: "nnunet", probability: 0.9, noise: { probability: 0.1 } });
  expect(plan.mirror!.probability).toBe(0.5);
  expect(plan.scaling!.probability).toBe(0.9);
  expect(plan.intensity.filter(({ probability }) => probability === 0.9)).toHaveLength(6);
  expect(plan.intensity.find(({ technique }) => technique === "noise")!.probability).toBe(0.1);
});
