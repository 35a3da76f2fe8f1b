import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BAD_CASES, BAD_IMAGES, CLASSES, goodCase, writeCase } from "./fixture/bad-cases.js";
import { type CliResult, runCli } from "./fixture/run-cli.js";
import { slowness } from "./fixture/slowness.js";
import { smallConfig } from "./fixture/small-config.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-bad-input-"));
const at = (...parts: string[]): string => join(root, ...parts);
const classes = ["--classes", CLASSES.join(",")];
const bundle = at("runs", "good", "checkpoints", "best");
/** Paths of the files at fault, by case. */
const files: Record<string, string> = {};

beforeAll(async () => {
  for (const id of ["good_a", "good_b", "good_c"]) for (const set of ["good", "mixed"]) writeCase(at(set), goodCase(id));
  for (const bad of BAD_CASES) files[bad.id] = writeCase(at("mixed"), bad);
  const { code, stderr } = await runCli(["train", smallConfig(root, { name: "good", root: at("good") })]);
  expect([code, stderr], "a training that others predict with").toEqual([0, expect.not.stringContaining("rror")]);
}, 300_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Ends by itself with one sentence that says all, and no stack trace; gives the sentence. */
function failure({ code, stderr, stdout }: CliResult, expected: 1 | 2): string {
  expect([code, stderr]).toEqual([expected, expect.not.stringMatching(/\n\s+at .+:\d+|node:internal|Warning/)]);
  expect(stdout).toBe("");
  const sentences = stderr.split("\n").filter((line) => line.startsWith("voxstream: "));
  expect(sentences).toHaveLength(1);
  return sentences[0]!;
}

/** The same with `--json`: stdout is one JSON object. */
function jsonFailure({ code, stdout }: CliResult, expected: 1 | 2): { readonly message: string; readonly code: string } {
  expect(code).toBe(expected);
  return (JSON.parse(stdout) as { error: { message: string; code: string } }).error;
}

/** Everything under a folder that looks unfinished. */
const unfinished = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .map(String)
        .filter((name) => /\.tmp$|\.new$|\.lock$/.test(name))
    : [];

describe("bad cases among good ones", () => {
  it("verify lists each with its file, rule and value, and ends with 1", { timeout: 300_000 }, async () => {
    const result = await runCli(["verify", at("mixed"), ...classes, "--json"]);
    expect(result.code).toBe(1);
    const { findings } = JSON.parse(result.stdout) as { findings: { id: string; message: string; fix: string; severity: string }[] };
    for (const { id, says } of BAD_CASES) {
      const own = findings.find((finding) => finding.id === id && finding.severity === "error");
      expect(own?.message, id).toMatch(says);
      expect(own?.message, id).toContain(join("mixed", id));
      expect(own?.fix.length, id).toBeGreaterThan(10);
    }
    expect(findings.filter(({ id }) => id.startsWith("good"))).toEqual([]);
    // Headers that announce 65 TB must cost nothing.
    expect(result.peakMiB).toBeLessThan(350);
  });

  it("inspect lists the good ones, and why the others cannot be read", { timeout: 300_000 }, async () => {
    const { code, stdout, stderr } = await runCli(["inspect", at("mixed"), ...classes, "--csv", at("cases.csv")]);
    expect(code).toBe(1);
    for (const { id, says, file } of BAD_CASES) {
      // Looking at data needs no label; one with values of no class is shown as such.
      if (id === "no_label" || id === "label_values") continue;
      expect(
        stdout.split("\n").find((line) => line.startsWith("cannot be read: ") && line.includes(files[id]!)),
        `${id} ${file}`,
      ).toMatch(says);
    }
    expect(stdout).toMatch(/^good_a +10x18x20x1 /m);
    expect(stdout).toMatch(/^\(not declared\) +7 +1 +1 /m);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(
      readFileSync(at("cases.csv"), "utf8")
        .split("\n")
        .filter((line) => line.startsWith("good_")),
    ).toHaveLength(3);
  });

  it("predict ends at the first bad image; with --on-error skip it reports each and does the others", { timeout: 300_000 }, async () => {
    const first = await runCli(["predict", bundle, "-i", at("mixed"), "-o", at("predicted-fail")]);
    expect(failure(first, 1)).toMatch(/bad_crc.imaging\.nii\.gz: .*checksum .* \[ERR_CHECKSUM\]$/);
    expect(unfinished(at("predicted-fail"))).toEqual([]);

    const result = await runCli(["predict", bundle, "-i", at("mixed"), "-o", at("predicted"), "--on-error", "skip", "--json"]);
    expect(result.code).toBe(1);
    const { written, failed } = JSON.parse(result.stdout) as { written: string[]; failed: { id: string; message: string }[] };
    expect(failed.map(({ id }) => id).sort()).toEqual(BAD_IMAGES.map(({ id }) => id).sort());
    for (const { id, says } of BAD_IMAGES) {
      const message = failed.find((one) => one.id === id)!.message;
      expect(message).toMatch(says);
      expect(message).toContain(files[id]);
      expect(result.stderr).toContain(`failed: ${message}`);
    }
    const fine = ["good_a", "good_b", "good_c", ...BAD_CASES.filter((bad) => !BAD_IMAGES.includes(bad)).map(({ id }) => id)].sort();
    expect([...written].sort()).toEqual(fine);
    expect(readdirSync(at("predicted")).sort()).toEqual([...fine.map((id) => `${id}.nii.gz`), "prediction.json"].sort());
    expect(result.peakMiB).toBeLessThan(400);
  });

  it("train ends at a bad case; with --on-error skip it reports each and trains on the others", { timeout: 300_000 }, async () => {
    const config = smallConfig(root, { name: "mixed", root: at("mixed"), fields: "skipBudget: 20," });
    const first = await runCli(["train", config]);
    expect(failure(first, 1)).toMatch(/ \(sample \w+\) \[ERR_\w+\]$/);
    expect(BAD_CASES.some(({ id, says }) => first.stderr.includes(files[id]!) && says.test(first.stderr))).toBe(true);

    const { code, stderr, stdout, peakMiB } = await runCli(["train", config, "--on-error", "skip", "--json", "--name", "mixed-skip"]);
    expect(code).toBe(0);
    for (const { id, says } of BAD_CASES) {
      const line = stderr.split("\n").find((text) => text.startsWith(`skipped ${id} `));
      expect(line, id).toMatch(says);
      expect(line, id).toContain(files[id]);
    }
    expect(JSON.parse(stdout)).toMatchObject({ status: "completed", steps: 3 });
    expect(peakMiB).toBeLessThan(600);
  });

  // One for each place that finds faults: the header, the decoder in a worker, the grid, the labels, the list.
  const alone = ["dim_huge", "bad_crc", "nan", "label_affine", "label_values", "no_label"];
  it.each(BAD_CASES.filter(({ id }) => alone.includes(id)).map((bad) => [bad.id, bad] as const))(
    "train refuses a set of one: %s",
    { timeout: 300_000 },
    async (id, bad) => {
      const path = writeCase(at("alone", id), bad);
      const result = await runCli(["train", smallConfig(root, { name: `alone-${id}`, root: at("alone", id) }), "--json"]);
      const { message } = jsonFailure(result, 1);
      expect(message).toContain(path);
      expect(message).toMatch(bad.says);
      expect(result.seconds).toBeLessThan(15 * slowness());
      expect(result.peakMiB).toBeLessThan(600);
      expect(unfinished(at("runs", `alone-${id}`))).toEqual([]);
    },
  );

  it("evaluate compares label maps on one grid and of declared classes only", { timeout: 300_000 }, async () => {
    mkdirSync(at("flat"));
    for (const id of ["label_shape", "label_affine", "label_values", "good_a"]) {
      const bad = BAD_CASES.find((one) => one.id === id) ?? goodCase(id);
      writeCase(at("truth"), { ...bad, id });
      writeFileSync(at("flat", `${id}.nii.gz`), goodCase(id).segmentation!);
    }
    const all = await runCli(["evaluate", at("flat"), at("truth"), ...classes, "--on-error", "skip", "--json"]);
    expect(all.code).toBe(1);
    const { failed } = JSON.parse(all.stdout) as { failed: { id: string; message: string }[] };
    expect(failed.map(({ id }) => id).sort()).toEqual(["label_affine", "label_shape", "label_values"]);
    for (const { id, message } of failed) expect(message, id).toContain(at("truth", id, "segmentation.nii.gz"));
    expect(failed.map(({ message }) => message).join("\n")).toMatch(/9x18x20[\s\S]*also 7|also 7[\s\S]*9x18x20/);
    const first = await runCli(["evaluate", at("flat"), at("truth"), ...classes, "-o", at("scores")]);
    expect(failure(first, 1)).toMatch(/label_affine.*\[ERR_GEOMETRY\]$/);
    expect(existsSync(at("scores"))).toBe(false);
  });
});
