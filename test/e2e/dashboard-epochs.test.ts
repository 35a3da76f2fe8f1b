import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDashboard } from "../server/fixture/open-dashboard.js";
import { writePhantomCase } from "../server/fixture/phantom-case.js";
import { RunWriter } from "../server/fixture/run-writer.js";
import { temporaryFolder } from "../server/fixture/temporary-folder.js";
import { inChromium } from "./fixture/in-chromium.js";
import { ARTIFACTS, openPage } from "./fixture/open-page.js";
import { pixelsOf } from "./fixture/pixels-of.js";

const IDS = ["case_00000", "case_00003"];
const folderOf = (epoch: number) => `validation/epoch-${String(epoch).padStart(5, "0")}`;

/** A running training that has validated on whole cases after some epochs, better each time. */
function setUp() {
  const root = temporaryFolder();
  const data = join(root, "data");
  const writer = new RunWriter({ folder: join(root, "runs", "live"), epochs: 60, stepsPerEpoch: 10, cases: IDS });
  writeFileSync(join(writer.folder, "manifest.json"), JSON.stringify({ name: "live", cases: { validation: IDS, training: [] } }));
  writer.start();
  for (const id of IDS) writePhantomCase({ image: join(data, id, "imaging.nii.gz"), label: join(data, id, "segmentation.nii.gz") });
  const validate = (epoch: number) => {
    writer.until(epoch * 10);
    const cases = IDS.map((id, i) => {
      const path = `${folderOf(epoch)}/${id}.nii.gz`;
      writePhantomCase({ prediction: join(writer.folder, path), off: 12 / epoch });
      return { id, dice: { kidney: 1 - 1 / epoch - i / 10, tumor: epoch / 100 }, path };
    });
    writer.write({ type: "cases", epoch, cases });
  };
  return { root, data, writer, validate };
}

inChromium("earlier epochs in Chromium", import.meta.url, (browser) => {
  test("whole cases are looked at epoch by epoch, with their scores, from the same place", async () => {
    const { root, data, writer, validate } = setUp();
    for (const epoch of [2, 4, 20]) validate(epoch);
    const { url } = await openDashboard({ runs: join(root, "runs"), data: [data] });
    const { page, faults } = await openPage(browser(), `${url}#/run/live/volumes`);
    const reads: string[] = [];
    page.on("request", (sent) => {
      if (/\/cases\/.+\//.test(sent.url())) reads.push(new URL(sent.url()).pathname.replace(/^.*\/cases\//, ""));
    });
    // The worst validation case first, as it was predicted last.
    await page.locator('[data-loaded="case_00003"][data-epoch="20"]').waitFor();
    expect(await page.locator(".case-group").allTextContents()).toEqual(["Validation, worst first"]);
    const scores = page.getByRole("table", { name: "Dice of case_00003 by class after epoch" });
    const row = (name: string) =>
      scores
        .getByRole("row", { name: new RegExp(`^${name}`) })
        .locator("td:not(:last-child)")
        .allTextContents();
    expect(await row("kidney")).toEqual(["0.850", "+0.200", "0.850 (20)"]);
    expect(await row("tumor")).toEqual(["0.200", "+0.160", "0.200 (20)"]);
    // One plane: software draws 3D slowly.
    await page.getByLabel("Planes", { exact: true }).selectOption("Axial");
    const place = page.locator(".volume-card [role=status].hint");
    await page.locator(".volume-canvas").focus();
    await page.keyboard.press("PageUp");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => place.textContent()).toMatch(/\d/);
    const before = (await place.textContent())!.split(" mm")[0];
    const late = await page.locator(".volume-canvas").screenshot();
    reads.length = 0;

    await page.keyboard.press("[");
    await page.locator('[data-loaded="case_00003"][data-epoch="4"]').waitFor();
    await page.keyboard.press("[");
    await page.locator('[data-loaded="case_00003"][data-epoch="2"]').waitFor();
    expect(await row("kidney")).toEqual(["0.400", "–", "0.850 (20)"]);
    // Image and ground truth are not read again, and the crosshair has not moved.
    expect(reads).toEqual(["case_00003/epochs/4", "case_00003/epochs/2"]);
    const early = page.locator(".volume-canvas");
    expect((await early.screenshot()).equals(late)).toBe(false);
    expect((await pixelsOf(early)).red).toBeGreaterThan(1000);
    expect(await page.getByRole("button", { name: "Earlier epoch" }).isDisabled()).toBe(true);
    await page.screenshot({ path: join(ARTIFACTS, "volumes-epochs-1280-light.png"), fullPage: true });
    await page.keyboard.press("PageDown");
    await page.keyboard.press("PageUp");
    await expect.poll(async () => (await place.textContent())!.split(" mm")[0]).toBe(before);

    // The same epoch of another case; then by the slider.
    await page.getByRole("button", { name: "case_00000" }).click();
    await page.locator('[data-loaded="case_00000"][data-epoch="2"]').waitFor();
    await page.getByRole("slider", { name: "Epoch" }).fill("2");
    await page.locator('[data-loaded="case_00000"][data-epoch="20"]').waitFor();

    // Whoever looks at the newest sees the next one as it comes; whoever looks at an earlier one stays there.
    validate(30);
    await page.locator('[data-loaded="case_00000"][data-epoch="30"]').waitFor();
    await page.getByRole("button", { name: "Earlier epoch" }).click();
    await page.locator('[data-loaded="case_00000"][data-epoch="20"]').waitFor();
    validate(40);
    await page.waitForFunction(() => (globalThis as any).document.querySelector(".epoch-picker input").max === "4");
    expect(await page.locator(".volume-stage").getAttribute("data-epoch")).toBe("20");

    // An epoch that was thinned out is gone from the choice, and the final prediction comes last.
    rmSync(join(writer.folder, folderOf(20)), { recursive: true });
    writePhantomCase({ prediction: join(writer.folder, "predictions", "case_00000.nii.gz") });
    writer.until(600);
    writer.write({ type: "prediction", id: "case_00000", path: "predictions/case_00000.nii.gz", seconds: 1 });
    writer.write({ type: "end", status: "completed" });
    await page.locator('[data-loaded="case_00000"][data-epoch=""]').waitFor();
    expect(await page.getByRole("slider", { name: "Epoch" }).getAttribute("aria-valuetext")).toBe("final");
    expect(await page.locator(".case-group").allTextContents()).toEqual(["Predicted, worst first", "Validation, worst first"]);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForFunction(() => (globalThis as any).document.querySelector(".volume-canvas").clientWidth < 390);
    await page.screenshot({ path: join(ARTIFACTS, "volumes-epochs-390-light.png"), fullPage: true });
    expect(await page.evaluate(() => (globalThis as any).document.documentElement.scrollWidth)).toBe(390);
    expect(faults.filter((fault) => !fault.includes("GPU stall") && !fault.includes("WebGL"))).toEqual([]);
  }, 600_000);
});
