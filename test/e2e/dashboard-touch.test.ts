import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openDashboard } from "../server/fixture/open-dashboard.js";
import { RunWriter } from "../server/fixture/run-writer.js";
import { temporaryFolder } from "../server/fixture/temporary-folder.js";
import { inChromium } from "./fixture/in-chromium.js";
import { openPage } from "./fixture/open-page.js";

/** What `waitForFunction` runs lives in the page; the types of this project are those of Node. */
declare const document: any;
declare const Touch: any;
declare const TouchEvent: any;

/** Puts fingers on the page, moves them in small pieces, and lifts them; as shares of the width of the loss chart. */
async function fingers(page: Page, from: readonly number[], to: readonly number[]): Promise<void> {
  const over = page.locator('section[aria-label="Loss"] .u-over');
  await over.scrollIntoViewIfNeeded();
  const box = (await over.boundingBox())!;
  const session = await page.context().newCDPSession(page);
  const points = (share: number) =>
    from.map((start, id) => ({ id, x: box.x + box.width * (start + (to[id]! - start) * share), y: box.y + box.height / 2 }));
  await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: points(0) });
  for (const share of [0.25, 0.5, 0.75, 1]) await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: points(share) });
  await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await session.detach();
}

inChromium("fingers on a chart", import.meta.url, (browser) => {
  test("two zoom into it, one moves the part or reads values, two taps show all", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "long"), epochs: 5, stepsPerEpoch: 1000 });
    writer.start();
    writer.until(5000);
    const { url } = await openDashboard({ runs });
    const { page, faults } = await openPage(browser(), `${url}#/run/long/training`, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const chart = page.locator('section[aria-label="Loss"]');
    await page.waitForFunction(() => Number(document.querySelector('section[aria-label="Loss"]')?.dataset.points) > 100);
    const all = page.getByRole("button", { name: "Show all steps" });
    const coarse = Number(await chart.getAttribute("data-points"));

    // One finger on the whole chart reads it.
    await fingers(page, [0.2], [0.5]);
    await page.waitForFunction(() => Math.abs(Number(document.querySelector('section[aria-label="Loss"]').dataset.at) - 2500) < 100);
    expect(await all.isHidden()).toBe(true);

    // A fifth of the axis is spread over all of it.
    await fingers(page, [0.4, 0.6], [0, 1]);
    await all.waitFor();
    await page.waitForFunction(() => Math.abs(Number(document.querySelector('section[aria-label="Loss"]').dataset.points) - 1000) < 40);
    const shown = () =>
      page.evaluate(() => [...document.querySelectorAll('section[aria-label="Loss"] .chart-plot')][0].dataset.shown.split(" ").map(Number));
    const [from, to] = (await shown()) as [number, number];
    expect(Math.abs(from - 2000)).toBeLessThan(40);
    expect(Math.abs(to - 3000)).toBeLessThan(40);

    // One finger to the left: half of the part further on.
    await fingers(page, [0.9], [0.4]);
    await page.waitForFunction(
      (old) => Number(document.querySelector('section[aria-label="Loss"] .chart-plot').dataset.shown.split(" ")[0]) > old,
      from + 400,
    );
    const [moved, end] = (await shown()) as [number, number];
    expect(Math.abs(moved - from - 500)).toBeLessThan(60);
    expect(Math.abs(end - moved - (to - from))).toBeLessThan(4);

    // Together again: out, never beyond what there is.
    await fingers(page, [0, 1], [0.45, 0.55]);
    await all.waitFor({ state: "hidden" });
    await page.waitForFunction((count) => Number(document.querySelector('section[aria-label="Loss"]').dataset.points) === count, coarse);

    await fingers(page, [0.4, 0.6], [0.1, 0.9]);
    await all.waitFor();
    // Made in the page, one right after the other: two taps are a matter of time.
    await page.evaluate(() => {
      const target = document.querySelector('section[aria-label="Loss"] .u-over');
      const touch = new Touch({ identifier: 0, target, clientX: 100, clientY: 300 });
      for (const touches of [[touch], [], [touch], []]) {
        const type = touches.length > 0 ? "touchstart" : "touchend";
        target.dispatchEvent(new TouchEvent(type, { touches, changedTouches: [touch], bubbles: true }));
      }
    });
    await all.waitFor({ state: "hidden" });
    expect(faults).toEqual([]);
  });

  test("Shift and arrow keys move the part that is shown", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "live"), epochs: 20, stepsPerEpoch: 50 });
    writer.start();
    writer.until(400);
    const { url } = await openDashboard({ runs });
    const { page, faults } = await openPage(browser(), `${url}#/run/live/training`);
    await page.waitForFunction(() => document.querySelector('section[aria-label="Loss"]')?.dataset.points === "400");
    const plot = page.locator('section[aria-label="Loss"] .chart-plot');
    const has = (text: string) =>
      page.waitForFunction((wanted) => document.querySelector('section[aria-label="Loss"] .chart-plot').dataset.shown === wanted, text);
    await plot.focus();
    await page.keyboard.press("+");
    await has("100 301");
    await page.keyboard.press("Shift+ArrowRight");
    await has("150 351");
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowRight");
    await has("199 400");
    await page.keyboard.press("-");
    await page.keyboard.press("-");
    await has("1 400");
    expect(faults).toEqual([]);
  });
});
