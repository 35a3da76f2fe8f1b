import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openDashboard } from "../server/fixture/open-dashboard.js";
import { RunWriter } from "../server/fixture/run-writer.js";
import { temporaryFolder } from "../server/fixture/temporary-folder.js";
import { inChromium } from "./fixture/in-chromium.js";
import { openPage } from "./fixture/open-page.js";

/** What `evaluate` and `waitForFunction` run lives in the page; the types of this project are those of Node. */
declare const document: any;

const TOKEN = "correct-horse-battery-staple";

async function setUp(steps = 40) {
  const runs = temporaryFolder();
  const writer = new RunWriter({ folder: join(runs, "live") });
  writer.start();
  writer.until(steps);
  const { url } = await openDashboard({ runs, controlToken: TOKEN });
  const asked = () => {
    const path = join(writer.folder, "control.jsonl");
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
    return lines.map((line) => JSON.parse(line) as { id: string; command: string });
  };
  return { writer, url, asked };
}

const focusName = (page: Page) => page.evaluate(() => document.activeElement?.textContent?.trim());
const picture = (page: Page, chart: string) =>
  page.locator(`section[aria-label="${chart}"] canvas`).evaluate((canvas) => (canvas as any).toDataURL());

inChromium("the dashboard's controls in Chromium", import.meta.url, (browser) => {
  test("are locked without the token, and a wrong one does not open them", async () => {
    const { url, asked } = await setUp();
    const { page, faults } = await openPage(browser(), `${url}#/run/live/training`);
    const unlock = page.getByRole("button", { name: "Unlock…" });
    await unlock.waitFor();
    for (const name of ["Pause", "Save", "Stop"]) expect(await page.getByRole("button", { name }).isDisabled()).toBe(true);
    expect(await page.getByRole("button", { name: "Pause" }).getAttribute("title")).toContain("Needs the token");
    await unlock.click();
    await page.getByRole("textbox", { name: "Token" }).fill("not-the-right-token-at-all");
    await page.keyboard.press("Enter");
    await page.locator("text=This is not the token").waitFor();
    await page.getByRole("textbox", { name: "Token" }).fill(TOKEN);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => !document.querySelector('[data-command="pause"]').disabled);
    expect(await unlock.isVisible()).toBe(false);
    expect(asked()).toEqual([]);
    // The refused token is what Chromium notes.
    expect(faults.filter((fault) => !fault.includes("401"))).toEqual([]);
  });

  test("ask before they hold a training up, by keyboard as by mouse, and tell when it was done", async () => {
    const { writer, url, asked } = await setUp();
    const { page, faults } = await openPage(browser(), `${url}#token=${TOKEN}`);
    await page.getByRole("link", { name: "live" }).click();
    const pause = page.getByRole("button", { name: "Pause" });
    await page.waitForFunction(() => document.querySelector('[data-command="pause"]')?.disabled === false);
    await pause.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Pause live?" }).waitFor();
    await page.keyboard.press("Escape");
    expect(await focusName(page)).toBe("Pause");
    await page.keyboard.press("Enter");
    expect(await focusName(page)).toBe("Cancel");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator("text=Pausing after this step").waitFor();
    await expect.poll(() => asked().map(({ command }) => command)).toEqual(["pause"]);
    writer.time = Date.now();
    writer.write({ type: "control", command: "pause", id: asked()[0]!.id, step: 40 });
    await page.locator(".pill.paused").waitFor();
    await page.locator("text=Paused, at step 40").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await expect.poll(() => asked().map(({ command }) => command)).toEqual(["pause", "resume"]);
    writer.time = Date.now();
    writer.write({ type: "control", command: "resume", id: asked()[1]!.id, step: 40 });
    await page.locator(".pill.running").waitFor();
    writer.write({ type: "end", status: "completed" });
    await page.locator(".pill.completed").waitFor();
    expect(await page.getByRole("button", { name: "Stop" }).count()).toBe(0);
    expect(faults).toEqual([]);
  });

  test("smoothing and log scale change the curves, legend entries hide them", async () => {
    const { url } = await setUp(200);
    const { page, faults } = await openPage(browser(), `${url}#/run/live/training`);
    await page.waitForFunction(() => document.querySelector("[data-steps]")?.dataset.steps === "200");
    const first = await picture(page, "Loss");
    await page.getByRole("slider", { name: "Smoothing" }).fill("0.9");
    const smooth = await picture(page, "Loss");
    // Not toBe: what differs are pictures as text, which nobody wants to read in a report.
    expect(smooth === first).toBe(false);
    await page.getByRole("checkbox", { name: "Log scale" }).check();
    const log = await picture(page, "Loss");
    expect(log === smooth).toBe(false);
    const entry = page.locator('section[aria-label="Loss"] .legend-entry').first();
    await entry.click();
    expect(await entry.getAttribute("aria-pressed")).toBe("false");
    expect((await picture(page, "Loss")) === log).toBe(false);
    await page.reload();
    // Both choices are remembered.
    expect(await page.getByRole("checkbox", { name: "Log scale" }).isChecked()).toBe(true);
    expect(await page.getByRole("slider", { name: "Smoothing" }).inputValue()).toBe("0.9");
    expect(faults).toEqual([]);
  });

  test("curves are saved as a table and as a picture", async () => {
    const { url } = await setUp(60);
    const { page, faults } = await openPage(browser(), `${url}#/run/live/training`);
    await page.waitForFunction(() => document.querySelector("[data-steps]")?.dataset.steps === "60");
    const saved = async (name: string) => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.locator('section[aria-label="Loss"]').getByRole("button", { name, exact: true }).click(),
      ]);
      return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
    };
    const table = await saved("CSV");
    expect(table.name).toBe("Loss.csv");
    const rows = table.bytes.toString("utf8").trim().split("\n");
    expect(rows[0]).toBe("curve,step,value");
    expect(rows.filter((row) => row.startsWith('"training",'))).toHaveLength(60);
    expect(Number(rows.find((row) => row.startsWith('"each step",1,'))!.split(",")[2])).toBeGreaterThan(0.5);
    const image = await saved("PNG");
    expect(image.name).toBe("Loss.png");
    expect(image.bytes.subarray(1, 4).toString()).toBe("PNG");
    expect(image.bytes.length).toBeGreaterThan(3000);
    expect(faults).toEqual([]);
  });
});
