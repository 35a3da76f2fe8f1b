import { expect, it } from "vitest";
import { resumeCommand } from "../../src/cli/resume-command.js";

it("what was replaced on the command line is named again", () => {
  expect(resumeCommand("train", ["kits.config.mjs"], {})).toBe("voxstream train kits.config.mjs --resume");
  expect(resumeCommand("train", ["kits.config.mjs"], { epochs: 60, name: "long", onError: "skip" })).toBe(
    "voxstream train kits.config.mjs --epochs 60 --name long --on-error skip --resume",
  );
});

it("lists and flags are named as they were given", () => {
  const more = { seeds: [0, 1], checkpoint: "best", overlays: true, groupBy: /^(patient\d+)/.source };
  expect(resumeCommand("compare", ["a.mjs"], more)).toBe(
    "voxstream compare a.mjs --seeds 0,1 --checkpoint best --overlays --group-by '^(patient\\d+)' --resume",
  );
});

it("paths with spaces are quoted", () => {
  expect(resumeCommand("compare", ["a.mjs", "my b.mjs"], { runs: "Ann's runs" })).toBe(
    "voxstream compare a.mjs 'my b.mjs' --runs 'Ann'\\''s runs' --resume",
  );
});
