import { describe } from "vitest";
import { native } from "../../src/kernels/native.js";
import { badFilesSuite } from "./bad-files-suite.js";

describe.skipIf(!native()?.inflateOpen)("bad files, with the addon", badFilesSuite);
