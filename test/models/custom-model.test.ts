import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import { customModel } from "../../src/models/index.js";

beforeAll(async () => {
  await startEngine({ threads: 1 });
});

const convolution = (shape: readonly number[], classes: number): tfl.LayersModel =>
  tfl.sequential({ layers: [tfl.layers.conv2d({ filters: classes, kernelSize: 3, padding: "same", inputShape: [...shape.slice(1)] })] });

describe("customModel", () => {
  it("builds the network of a function for the patch, the classes and the seed", () => {
    const seen: unknown[] = [];
    const spec = customModel({
      name: "mine",
      divisor: 4,
      build: (input) => {
        seen.push(input);
        return convolution(input.shape, input.classes);
      },
    });
    const model = spec.build({ shape: [1, 8, 4, 2], classes: 3 });
    expect(seen).toEqual([{ shape: [1, 8, 4, 2], classes: 3, seed: 0 }]);
    expect((model.predict(tf.zeros([1, 8, 4, 2])) as tf.Tensor).shape).toEqual([1, 8, 4, 3]);
    expect(spec.dimensions([1, 8, 8])).toBe(2);
    expect(spec.dimensions([4, 8, 8])).toBe(3);
    expect(spec.divisor([1, 8, 8])).toEqual([1, 4, 4]);
    expect(spec.divisor([4, 8, 8])).toEqual([4, 4, 4]);
  });
  it("refuses a patch that the divisor does not divide, before the function is called", () => {
    const spec = customModel({ name: "mine", divisor: [1, 4, 4], build: () => expect.fail("called") });
    expect(() => spec.build({ shape: [1, 6, 8, 1], classes: 2 })).toThrow("mine: the patch must be divisible by 1x4x4, got 1x6x8");
  });
  it("names the shapes of a network that does not fit", () => {
    const classes = customModel({ name: "mine", build: ({ shape }) => convolution(shape, 5) });
    expect(() => classes.build({ shape: [1, 8, 8, 1], classes: 2 })).toThrow(
      "mine: the network's output must be [batch, 8x8x2], got [batch, 8, 8, 5]",
    );
    const channels = customModel({ name: "mine", build: () => convolution([1, 8, 8, 3], 2) });
    expect(() => channels.build({ shape: [1, 8, 8, 1], classes: 2 })).toThrow(
      "mine: the network's input must be [batch, 8x8x1], got [batch, 8, 8, 3]",
    );
  });
  it("refuses options outside their rule", () => {
    const build = ({ shape }: { shape: readonly number[] }) => convolution(shape, 2);
    expect(() => customModel({ name: "a b", build })).toThrow("customModel: name must be letters, digits, '.', '_' and '-', got \"a b\"");
    expect(() => customModel({ name: "a", build, divisor: 0 })).toThrow("customModel: divisor must be an integer >= 1, or [z, y, x] of such, got 0");
    expect(() => customModel({ name: "a", build: 3 as never })).toThrow("customModel: build must be a function");
  });
});
