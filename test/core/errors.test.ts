import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ERROR_CODES } from "../../src/core/error-codes.js";
import { errorFromWire, errorMessage, errorToWire, isVoxError, describe as render, requireOption, VoxError } from "../../src/core/errors.js";

test("the message names place, rule, value and sample", () => {
  const error = new VoxError("width must be > 0 HU, got 0", { code: "ERR_OPTION", where: "windowLevel", sampleId: "case_00003#2", cause: 1 });
  expect(error.message).toBe("windowLevel: width must be > 0 HU, got 0 (sample case_00003#2)");
  expect(error).toMatchObject({ name: "VoxError", code: "ERR_OPTION", where: "windowLevel", sampleId: "case_00003#2", cause: 1 });
  expect(isVoxError(error)).toBe(true);
  expect(isVoxError(new Error("x"))).toBe(false);
  expect("cause" in new VoxError("x", { code: "ERR_OPTION", where: "y" })).toBe(false);
});

test("docs/errors.md explains exactly the codes that exist, in their order", () => {
  const docs = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
  const explained = [...docs.matchAll(/^\| `(ERR_[A-Z]+)` \| \S.* \| \S.* \|$/gm)].map((match) => match[1]);
  expect(explained).toEqual([...ERROR_CODES]);
});

test("an option outside its rule is ERR_OPTION", () => {
  expect(() => requireOption(false, "clip", "min", "< max", [3, 1])).toThrow("clip: min must be < max, got [3,1]");
  expect(() => requireOption(true, "clip", "min", "< max", 0)).not.toThrow();
});

test("values are rendered short and unambiguous", () => {
  expect([undefined, 3, Number.NaN, "a", null, [1], { a: 1 }].map(render)).toEqual(["undefined", "3", "NaN", '"a"', "null", "[1]", '{"a":1}']);
  expect(render(function named() {})).toBe("function named");
  expect(render(() => 1)).toBe("function (anonymous)");
  expect(render("x".repeat(500)).length).toBe(120);
  const loop: { self?: unknown } = {};
  loop.self = loop;
  expect(render(loop)).toBe("[object Object]");
});

test("the message of anything thrown", () => {
  expect([new Error("a"), "b", 3, undefined].map(errorMessage)).toEqual(["a", "b", "3", "undefined"]);
});

describe("an error that crosses threads", () => {
  const cross = (error: unknown): Error => errorFromWire(structuredClone(errorToWire(error)));

  test("keeps class, code, place, sample, message and stack", () => {
    const error = new VoxError("spacing must be > 0 mm, got 0", { code: "ERR_HEADER", where: "readNifti", sampleId: "c1" });
    const copy = cross(error);
    expect(copy).toBeInstanceOf(VoxError);
    expect(copy).toMatchObject({ code: "ERR_HEADER", where: "readNifti", sampleId: "c1", message: error.message, stack: error.stack });
  });

  test("of the system keeps its code", () => {
    const copy = cross(Object.assign(new Error("no such file"), { code: "ENOENT" }));
    expect(copy).not.toBeInstanceOf(VoxError);
    expect(copy).toMatchObject({ message: "no such file", code: "ENOENT" });
  });

  test("may be anything thrown", () => {
    expect(cross("plain text").message).toBe("plain text");
    expect(cross(undefined).message).toBe("undefined");
    expect(cross(null).message).toBe("null");
  });
});
