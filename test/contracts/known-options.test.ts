import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as library from "../../src/index.js";

const src = new URL("../../src/", import.meta.url).pathname;
const exported: Readonly<Record<string, unknown>> = library;

/** Public functions that take options and do not look for unknown ones, and why. */
const UNCHECKED: Readonly<Record<string, string>> = {
  VoxError: "made by the library's own code",
  FileVolume: "made by the readers, which check",
  Graph: "made by run, which checks",
  LabelMapComparison: "made by evaluateCase, which checks",
  RollingMerge: "made by slidingWindow, which checks",
  ScoreMerge: "made by slidingWindow, which checks",
  besideVoxels: "given the options of planMemory, which checks",
  classProbabilities: "in every step of a training; the losses check when they are made",
  classSums: "in every step of a training; the losses check when they are made",
  dealSplits: "given all options of crossValidate, which checks",
  fusedConv3d: "in every step of a training; the layers check when they are made",
  fusedConv3dTranspose: "in every step of a training; the layers check when they are made",
  normalizeWith: "in every step of a training; the layers check when they are made",
  signedDistances: "in every step of a training; the losses check when they are made",
  upSample3d: "in every step of a training; the layers check when they are made",
  layersFor: "made by the networks, which check",
};

/** Functions and classes of the library that are declared with a parameter of a type `…Options`, with the file. */
function takersOfOptions(): readonly (readonly [name: string, file: string])[] {
  const files = (readdirSync(src, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts") && !name.startsWith("server/page"));
  return files.flatMap((file) => {
    const text = readFileSync(join(src, file), "utf8");
    const functions = [...text.matchAll(/^export (?:async )?function\*? (\w+)[^(]*\(([\s\S]*?)\n?\): [\s\S]*?\{$/gm)];
    const classes = [...text.matchAll(/^export (?:abstract )?class (\w+)[\s\S]*?^ {2}constructor\(([\s\S]*?)\)[^\n]*\{/gm)];
    return [...functions, ...classes].flatMap(([, name, parameters]) =>
      /:[^,]*Options\b/.test(parameters!) && name! in exported ? [[name!, file] as const] : [],
    );
  });
}

const takers = takersOfOptions();

/** What a function says of an option that is none; wherever its options stand, and whatever it needs in front of them. */
async function refusalOf(name: string, option: string): Promise<string> {
  const fn = exported[name] as (...values: unknown[]) => unknown;
  const errors: string[] = [];
  for (const filler of [undefined, {}, 1, () => 1]) {
    for (const position of [0, 1, 2, 3, 4]) {
      const values = [...Array(position).fill(filler), { [option]: 1 }, filler];
      try {
        const result = /^[A-Z]/.test(name) ? Reflect.construct(fn as never, values) : fn(...values);
        // Generators begin when they are asked for the first value.
        const isGenerator = typeof (result as AsyncGenerator | undefined)?.next === "function";
        await (isGenerator ? (result as AsyncGenerator).next() : result);
      } catch (error) {
        const { message } = error as Error;
        if (message.includes(`got ${option}`)) return message;
        errors.push(message);
      }
    }
  }
  throw new Error(`${name} takes ${option}, or says only: ${errors.join("\n")}`);
}

describe("functions that take options", () => {
  it("are found", () => {
    expect(takers.length).toBeGreaterThan(100);
    const names = takers.map(([name]) => name);
    for (const name of ["train", "predict", "compare", "cases", "mapAsync", "unet", "tverskyLoss", "readVolume", "Adam", "startDashboard"]) {
      expect(names).toContain(name);
    }
  });

  it.each(takers.filter(([name]) => !(name in UNCHECKED)))("%s refuses an unknown one and names the nearest (%s)", async (name) => {
    const known = (await refusalOf(name, "q")).match(/options must be of (\w+)/)![1]!;
    expect(await refusalOf(name, `${known}q`)).toContain(`got ${known}q; did you mean ${known}?`);
  });

  it("that are named as unchecked exist", () => {
    const names = takers.map(([name]) => name);
    for (const name of Object.keys(UNCHECKED)) expect(names.includes(name) || !(name in exported), name).toBe(true);
  });
});
