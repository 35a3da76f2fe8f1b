import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { expect, it } from "vitest";
import { metricColumns } from "../../src/training/learning/metric-columns.js";
import { partFigure } from "../../src/training/learning/part-figure.js";

const broken = () => {
  throw new Error("my loss is broken");
};

it("a loss or metric of one's own that fails is named, with what it said", async () => {
  expect(() => partFigure("loss", "mine", broken)).toThrow(
    expect.objectContaining({ code: "ERR_TRAINING", message: "loss mine: it fails: my loss is broken" }),
  );
  await expect(metricColumns([broken], tf.zeros([1]), tf.zeros([1]), ["a", "b"])).rejects.toThrow("metric broken: it fails: my loss is broken");
});

it("a loss must give one number, a metric a tensor", async () => {
  expect(() => partFigure("loss", "mine", () => tf.zeros([2, 3]))).toThrow("loss mine: it must give one number, tf.Scalar, got a tensor of 2x3");
  await expect(metricColumns([(() => undefined) as never], tf.zeros([1]), tf.zeros([1]), ["a", "b"])).rejects.toThrow(
    "metric without a name: it must give a tensor, got undefined",
  );
  expect(partFigure("loss", "mine", () => tf.scalar(2)).dataSync()[0]).toBe(2);
});
