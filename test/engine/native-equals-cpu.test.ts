import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import { nativeCases } from "../../src/engine/self-check/check-cases.js";
import { evaluateCase, relativeDifference } from "../../src/engine/self-check/evaluate-case.js";
import { native } from "../../src/kernels/native.js";

describe.skipIf(!native())("the native engine gives the values and gradients of the stock cpu engine", () => {
  beforeAll(async () => {
    await startEngine({ engine: "native" });
  });

  it.each(nativeCases().map((one) => [`${one.op} ${one.detail}`, one] as const))("%s", async (_, one) => {
    tf.setBackend("cpu");
    const expected = await evaluateCase(one);
    tf.setBackend("native");
    const actual = await evaluateCase(one);
    expect(expected.value.length).toBeGreaterThan(0);
    expect(relativeDifference(actual.value, expected.value)).toBeLessThan(1e-4);
    expected.gradients.forEach((gradient, i) => {
      expect(relativeDifference(actual.gradients[i]!, gradient), `gradient ${i}`).toBeLessThan(1e-4);
    });
  });
});
