import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePhantoms } from "../../src/io/phantom/write-phantoms.js";
import { inChromium } from "./fixture/in-chromium.js";
import { ARTIFACTS, openPage } from "./fixture/open-page.js";
import { pixelsOf } from "./fixture/pixels-of.js";
import { smallConfig } from "./fixture/small-config.js";
import { startCli } from "./fixture/start-cli.js";

/** What `evaluate` and `waitForFunction` run lives in the page; the types of this project are those of Node. */
declare const document: any;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const stepsOf = (page: Page) => page.locator("[data-steps]").getAttribute("data-steps").then(Number);
const moreSteps = async (page: Page, by: number) => {
  const from = await stepsOf(page);
  await page.waitForFunction((least) => Number(document.querySelector("[data-steps]")?.dataset.steps) >= least, from + by);
};
const shoot = (page: Page, name: string) => page.screenshot({ path: join(ARTIFACTS, `real-${name}.png`), fullPage: true });

inChromium("the dashboard over a real training", import.meta.url, (browser) => {
  let root: string;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "voxstream-dashboard-"));
    // A config file finds the package as it would where it is installed.
    mkdirSync(join(root, "node_modules"));
    symlinkSync(ROOT, join(root, "node_modules", "voxstream"));
    await writePhantoms({ folder: join(root, "data"), cases: 6, shape: [24, 48, 48], seed: 5 });
  }, 180_000);

  afterAll(async () => {
    for (const child of running) child.kill("SIGKILL");
    if (root) rmSync(root, { recursive: true, force: true, maxRetries: 10 });
  });

  test("curves grow, the pipeline moves, volumes are drawn, a restart loses no point, and the page controls the run", {
    timeout: 900_000,
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
    const training = startCli(root, "train", config, "--dashboard", "--json");
    running.push(training.child);
    const address = await training.address();
    const [url] = address.split("#") as [string];
    const { page, faults } = await openPage(browser(), address);
    await page.getByRole("link", { name: "real", exact: true }).click();
    await page.locator('.live-state[data-state="live"]').waitFor();

    // Another dashboard of the same folder, in a process that will die.
    const first = startCli(root, "dashboard", "runs", "--port", "0");
    running.push(first.child);
    const [other] = (await first.address()).split("#") as [string];
    const { page: second, faults: secondFaults } = await openPage(browser(), `${other}#/run/real/training`);
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
    await expect.poll(out, { timeout: 60_000 }).toBeGreaterThan(arrived);
    await page.getByText("items/s").first().waitFor();
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
    // The first picture starts the renderer, in software where there is no graphics card.
    await page.locator('[data-loaded*="epoch"]').waitFor({ timeout: 300_000 });
    const epochs = page.getByRole("slider", { name: "Epoch" });
    await epochs.fill("0");
    await page.locator('[data-loaded$="epoch 1"]').waitFor();
    await page.getByRole("slider", { name: "Ground truth" }).fill("1");
    expect((await pixelsOf(page.locator(".volume-canvas"))).colored).toBeGreaterThan(300);
    const manifest = JSON.parse(readFileSync(join(root, "runs", "real", "manifest.json"), "utf8"));
    const [id] = manifest.cases.validation;
    await page.locator("text=what the network made of it after epoch").waitFor();
    await page.getByRole("button", { name: id }).click();
    await page.locator(`[data-loaded="${id}"]`).waitFor();
    await page.getByRole("slider", { name: "Ground truth" }).fill("0.7");
    const drawn = await pixelsOf(page.locator(".volume-canvas"));
    expect(drawn.colored).toBeGreaterThan(300);
    expect(drawn.gray).toBeGreaterThan(5000);
    await shoot(page, "volumes");

    // The other dashboard was not told where the cases lie: the run has noted it.
    await second.goto(`${other}#/run/real/volumes/${id}`);
    await second.locator(`[data-loaded="${id}"]`).waitFor();
    expect((await pixelsOf(second.locator(".volume-canvas"))).gray).toBeGreaterThan(5000);
    await second.getByRole("slider", { name: "Ground truth" }).fill("1");
    await expect.poll(async () => (await pixelsOf(second.locator(".volume-canvas"))).colored, { timeout: 60_000 }).toBeGreaterThan(300);
    await second.getByRole("link", { name: "Training", exact: true }).click();

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
    const again = startCli(root, "dashboard", "runs", "--port", new URL(other).port);
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
    // Nothing was trained while it stood paused: between each pause and what followed there is no step.
    const events = readFileSync(join(root, "runs", "real", "events.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; command?: string; step?: number });
    const pauses = events.flatMap((event, i) => (event.type === "control" && event.command === "pause" ? [i] : []));
    expect(pauses).toHaveLength(2);
    for (const at of pauses) {
      const resumed = events.findIndex(({ type, command: asked }, i) => i > at && type === "control" && asked === "resume");
      expect(events.slice(at, resumed).filter(({ type }) => type === "step")).toEqual([]);
    }
    // Every step that was written is on the page that lost its server, once.
    const written = events.filter(({ type }) => type === "step").length;
    expect(written).toBe(result.steps);
    await expect.poll(() => stepsOf(second), { timeout: 60_000 }).toBe(written);
    await shoot(second, "stopped");

    expect([...faults, ...secondFaults].filter((fault) => !isExpected(fault))).toEqual([]);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  });
});

/** The software renderer complains about its own speed, and both servers end: the training's with it, the other one is killed. */
function isExpected(fault: string): boolean {
  return /GPU stall|WebGL|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET/.test(fault);
}
