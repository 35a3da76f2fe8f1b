import { describe, expect, it } from "vitest";
import { native } from "../../src/kernels/native.js";
import { badFilesSuite } from "./bad-files-suite.js";

// The addon is looked for at its first use, which is in the tests.
process.env.VOXSTREAM_NATIVE = "0";

it("runs without the addon", () => {
  expect(native()).toBeUndefined();
});

describe("bad files, without the addon", badFilesSuite);
