import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writePhantoms } from "../../src/io/phantom/write-phantoms.js";
import { findChromium } from "./find-chromium.js";
import { buildPage } from "./fixture/build-page.js";
import { ARTIFACTS, launchChromium, openPage } from "./fixture/open-page.js";
import { smallConfig } from "./fixture/small-config.js";

/** What `evaluate` and `waitForFunction` run lives in the page; the types of this project are those of Node. */
declare const document: any;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = join(ROOT, "dist/cli/main.js");
const executablePath = findChromium();
if (!executablePath)
  console.warn("test/e2e/dashboard-training.test.ts is skipped: there is no Chromium on the search path (Debian: apt-get install chromium)");

/** A command line in a process of its own, and what it has said. */
function command(cwd: string, ...parts: string[]) {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...parts], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  child.stdout!.on("data", (text) => (said.stdout += text));
  child.stderr!.on("data", (text) => (said.stderr += text));
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const address = async (): Promise<string> => {
    for (let i = 0; i < 600; i++) {
      const found = /https?:\/\/\S+/.exec(said.stderr + said.stdout);
      if (found) return found[0];
      await wait(100);
    }
    throw new Error(`no address was printed: ${said.stderr}`);
  };
  return { child, said, closed, address };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const stepsOf = (page: Page) => page.locator("[data-steps]").getAttribute("data-steps").then(Number);
const moreSteps = async (page: Page, by: number) => {
  const from = await stepsOf(page);
  await page.waitForFunction((least) => Number(document.querySelector("[data-steps]")?.dataset.steps) >= least, from + by);
};
const shoot = (page: Page, name: string) => page.screenshot({ path: join(ARTIFACTS, `real-${name}.png`), fullPage: true });

/** Pixels of a picture that are plainly colored, and those that are gray and not black. */
async function pixelsOf(target: Locator): Promise<{ colored: number; gray: number }> {
  const picture = await loadImage(await target.screenshot());
  const draw = createCanvas(picture.width, picture.height).getContext("2d");
  draw.drawImage(picture, 0, 0);
  const { data } = draw.getImageData(0, 0, picture.width, picture.height);
  let [colored, gray] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    const [least, most] = [Math.min(data[i]!, data[i + 1]!, data[i + 2]!), Math.max(data[i]!, data[i + 1]!, data[i + 2]!)];
    if (most > 90 && most > 1.4 * least) colored++;
    else if (most > 40 && most - least < 10) gray++;
  }
  return { colored, gray };
}

describe.skipIf(!executablePath)("the dashboard over a real training", () => {
  let browser: Browser;
  let root: string;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    await buildPage();
    browser = await launchChromium(executablePath!);
    root = mkdtempSync(join(tmpdir(), "voxstream-dashboard-"));
    // A config file finds the package as it would where it is installed.
    mkdirSync(join(root, "node_modules"));
    symlinkSync(ROOT, join(root, "node_modules", "voxstream"));
    await writePhantoms({ folder: join(root, "data"), cases: 6, shape: [24, 48, 48], seed: 5 });
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    for (const child of running) child.kill("SIGKILL");
    if (root) rmSync(root, { recursive: true, force: true });
  });

  test("curves grow, the pipeline moves, volumes are drawn, a restart loses no point, and the page controls the run", {
    timeout: 280_000,
  }, async () => {
    const config = smallConfig(root, {
      name: "real",
      root: join(root, "data"),
      epochs: 100_000,
      patch: [16, 32, 32],
      behind: "augment({ mirror: true, probability: 0.5 }),",
      fields: "split: { validation: 0.34 },",
      training: "stepsPerEpoch: 10,",
    });
    const training = command(root, "train", config, "--dashboard", "--json");
    running.push(training.child);
    const address = await training.address();
    // The machine may be busy with other tests.
    const patience = (shown: Page) => shown.setDefaultTimeout(90_000);
    const [url] = address.split("#") as [string];
    const { page, faults } = await openPage(browser, address);
    patience(page);
    await page.getByRole("link", { name: "real", exact: true }).click();
    await page.locator('.live-state[data-state="live"]').waitFor();

    // Another dashboard of the same folder, in a process that will die.
    const first = command(root, "dashboard", "runs", "--port", "0");
    running.push(first.child);
    const [other] = (await first.address()).split("#") as [string];
    const { page: second, faults: secondFaults } = await openPage(browser, `${other}#/run/real/training`);
    patience(second);
    await moreSteps(second, 5);

    // Curves grow live.
    const picture = () => page.locator('section[aria-label="Loss"] canvas').evaluate((canvas) => (canvas as any).toDataURL());
    await moreSteps(page, 5);
    const before = { picture: await picture(), points: Number(await page.locator('section[aria-label="Loss"]').getAttribute("data-points")) };
    await moreSteps(page, 12);
    expect(Number(await page.locator('section[aria-label="Loss"]').getAttribute("data-points"))).toBeGreaterThan(before.points);
    expect(await picture()).not.toBe(before.picture);
    await shoot(page, "training");

    // The pipeline moves.
    await page.getByRole("link", { name: "Pipeline" }).click();
    const out = () =>
      page
        .locator("tr", { hasText: "trainer" })
        .locator('td[data-label="In"]')
        .textContent()
        .then((text) => Number(text!.replaceAll(",", "")));
    const [arrived, nodes] = [await out(), await page.locator(".node").count()];
    expect(nodes).toBeGreaterThanOrEqual(5);
    await moreSteps(page, 10);
    await page.waitForTimeout(1200);
    expect(await out()).toBeGreaterThan(arrived);
    await shoot(page, "pipeline");

    // Reading is open, control is not.
    expect(await second.getByRole("button", { name: "Pause" }).isDisabled()).toBe(true);
    expect((await second.request.post(`${other}api/runs/real/control`, { data: { command: "stop", session: 0 } })).status()).toBe(401);

    // Pause stands still, resume goes on.
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    expect(await page.locator(".pill.paused").count()).toBe(0);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
    await page.locator(".pill.paused").waitFor();
    const stood = await stepsOf(page);
    await page.waitForTimeout(1500);
    expect(await stepsOf(page)).toBe(stood);
    await shoot(page, "paused");
    await page.getByRole("button", { name: "Resume" }).click();
    await moreSteps(page, 5);
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("text=Checkpoint written").waitFor();

    // Patches as the trainer receives them.
    await page.getByRole("link", { name: "Samples" }).click();
    const samples = page.getByRole("region", { name: "Patches as the trainer receives them" });
    await page.locator('[aria-label="Patches as the trainer receives them"][data-step]').waitFor();
    const kept = await samples.getAttribute("data-step");
    await page.getByRole("button", { name: "Show the next step's" }).click();
    await page.waitForFunction((old) => document.querySelector("[data-step]").dataset.step !== old, kept);
    expect(await samples.locator(".history").textContent()).toMatch(/normalized to mean 0.*patch of \d+ × \d+ × \d+ voxels/s);
    const alone = await pixelsOf(samples.locator(".patch-canvas").first());
    expect(alone.gray).toBeGreaterThan(5000);
    expect(alone.colored).toBe(0);
    await shoot(page, "samples");

    // The validation patch after each epoch, then a whole case with its ground truth; the run stands still meanwhile, for the renderer needs the processor.
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
    await page.locator(".pill.paused").waitFor();
    await page.getByRole("link", { name: "Volumes" }).click();
    await page.locator('[data-loaded*="epoch"]').waitFor();
    const epochs = page.getByRole("slider", { name: "Epoch" });
    await epochs.fill("0");
    await page.locator('[data-loaded$="epoch 1"]').waitFor();
    await page.getByRole("slider", { name: "Ground truth" }).fill("1");
    expect((await pixelsOf(page.locator(".volume-canvas"))).colored).toBeGreaterThan(300);
    const manifest = JSON.parse(readFileSync(join(root, "runs", "real", "manifest.json"), "utf8"));
    const [id] = manifest.cases.validation;
    await page.getByRole("button", { name: id }).click();
    await page.locator(`[data-loaded="${id}"]`).waitFor();
    await page.getByRole("slider", { name: "Ground truth" }).fill("0.7");
    const drawn = await pixelsOf(page.locator(".volume-canvas"));
    expect(drawn.colored).toBeGreaterThan(300);
    expect(drawn.gray).toBeGreaterThan(5000);
    await shoot(page, "volumes");

    // What the machine did.
    await page.getByRole("link", { name: "Log & system" }).click();
    await page.locator("text=cores busy with the training").waitFor();
    expect(await page.locator(".log").textContent()).toMatch(/Paused.*after step/s);
    await shoot(page, "log");

    await page.getByRole("button", { name: "Resume" }).click();

    // A server that dies, and comes back.
    first.child.kill("SIGKILL");
    await second.locator("text=Connection lost").waitFor();
    await moreSteps(page, 10);
    const again = command(root, "dashboard", "runs", "--port", new URL(other).port);
    running.push(again.child);
    await second.locator('.live-state[data-state="live"]').waitFor();
    await moreSteps(second, 5);

    // Stop ends the training, resumable.
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
    await second.locator(".pill.stopped").waitFor();
    expect(await training.closed).toBe(0);
    const result = JSON.parse(training.said.stdout);
    expect(result).toMatchObject({ status: "stopped" });
    expect(readdirSync(join(root, "runs", "real", "checkpoints"))).toContain("latest");
    // Every step that was written is on the page that lost its server, once.
    const written = readFileSync(join(root, "runs", "real", "events.jsonl"), "utf8").match(/"type":"step"/g)!.length;
    expect(written).toBe(result.steps);
    expect(await stepsOf(second)).toBe(written);
    await shoot(second, "stopped");

    expect(faults.filter((fault) => !isExpected(fault))).toEqual([]);
    // What a browser says about a server that is gone.
    expect(secondFaults.filter((fault) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET/.test(fault))).toEqual([]);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  });
});

/** The software renderer complains about its own speed, and the dashboard of the training ends with it. */
function isExpected(fault: string): boolean {
  return /GPU stall|WebGL|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET/.test(fault);
}
