import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { startDashboard } from "../../src/server/index.js";
import { openDashboard } from "../server/fixture/open-dashboard.js";
import { writePhantomCase } from "../server/fixture/phantom-case.js";
import { RunWriter } from "../server/fixture/run-writer.js";
import { temporaryFolder } from "../server/fixture/temporary-folder.js";
import { inChromium } from "./fixture/in-chromium.js";
import { ARTIFACTS, openPage } from "./fixture/open-page.js";
import { pixelsOf } from "./fixture/pixels-of.js";

/** What `evaluate` and `waitForFunction` run lives in the page; the types of this project are those of Node. */
declare const document: any;
declare const requestAnimationFrame: (then: (time: number) => void) => void;

const steps = (page: Page) => page.locator("[data-steps]").getAttribute("data-steps").then(Number);
const hasSteps = (page: Page, count: number) =>
  page.waitForFunction((wanted) => document.querySelector("[data-steps]")?.dataset.steps === String(wanted), count);
const lossPicture = (page: Page) => page.locator('section[aria-label="Loss"] canvas').evaluate((canvas) => (canvas as any).toDataURL());

inChromium("the dashboard in Chromium", import.meta.url, (browser) => {
  test("curves and pipeline grow while the page is open", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "live"), epochs: 20, stepsPerEpoch: 50 });
    writer.manifest();
    writer.start();
    writer.until(120);
    const { url } = await openDashboard({ runs });
    const { page, faults } = await openPage(browser(), url);
    await page.getByRole("link", { name: "live" }).click();
    await hasSteps(page, 120);
    await page.locator("text=Live").first().waitFor();
    const before = await lossPicture(page);
    writer.until(260);
    await hasSteps(page, 260);
    await page.waitForFunction((old) => document.querySelector('section[aria-label="Loss"] canvas')!.toDataURL() !== old, before);
    expect(Number(await page.locator('section[aria-label="Loss"]').getAttribute("data-points"))).toBe(260);
    expect(await page.locator(".tile", { hasText: "Step" }).first().locator(".tile-value").textContent()).toBe("260");

    await page.getByRole("link", { name: "Pipeline" }).click();
    const out = page.locator("tr", { hasText: "trainer" }).locator('td[data-label="Out"]');
    expect(await out.textContent()).toBe("260");
    writer.until(300);
    await page.waitForFunction(
      () =>
        [...document.querySelectorAll("tr")].find((row) => row.textContent?.startsWith("trainer"))?.querySelector('td[data-label="Out"]')
          ?.textContent === "300",
    );
    expect(await page.locator("tr", { hasText: "from the cache" }).locator("th").textContent()).toBe("cached");
    expect(await page.locator(".node").count()).toBe(9);
    expect(await page.locator(".pipeline-facts").textContent()).toMatch(
      /Into the trainer[\d.]+ items\/s.*Workers\d+ of \d+ jobs.*Cache\d+ of \d+ cases/,
    );
    expect(await page.locator(".node.slowest .node-name").textContent()).toBe("trainer");
    writer.until(1000);
    writer.evaluation();
    writer.write({ type: "end", status: "completed" });
    await page.locator(".pill.completed").waitFor();
    expect(faults).toEqual([]);
  });

  test("a restart of the server loses no point", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "live"), epochs: 20, stepsPerEpoch: 50 });
    writer.start();
    writer.until(40);
    const first = await startDashboard({ runs, pollMs: 20 });
    const { page } = await openPage(browser(), `${first.url}#/run/live/training`);
    await hasSteps(page, 40);
    writer.until(70);
    await hasSteps(page, 70);
    await first.close();
    await page.locator("text=Connection lost").waitFor();
    writer.until(130);
    await openDashboard({ runs, port: Number(new URL(first.url).port) });
    await hasSteps(page, 130);
    await page.locator('.live-state[data-state="live"]').waitFor();
    writer.until(150);
    await hasSteps(page, 150);
    expect(Number(await page.locator('section[aria-label="Loss"]').getAttribute("data-points"))).toBe(150);
  });

  test("a resumed run shows its steps once, and a deleted one says so", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "live"), epochs: 20, stepsPerEpoch: 50 });
    writer.start();
    writer.until(90);
    const { url } = await openDashboard({ runs });
    const { page } = await openPage(browser(), `${url}#/run/live/training`);
    await hasSteps(page, 90);
    const tile = (name: string) => page.locator(".tile", { hasText: name }).first().locator("dd").allTextContents();
    writer.start(70);
    writer.step = 70;
    await hasSteps(page, 70);
    // Before its first new step, in the middle of the second epoch.
    await expect.poll(() => tile("Step")).toEqual(["70", "20 of 50 in the epoch, resumed at 70"]);
    expect(await tile("Epoch")).toEqual(["2", "of 20"]);
    writer.until(75);
    await hasSteps(page, 75);
    expect(await tile("Step")).toEqual(["75", "25 of 50 in the epoch, resumed at 70"]);
    rmSync(join(runs, "live"), { recursive: true });
    await page.locator("text=it was deleted or renamed").waitFor();
    expect(await steps(page)).toBe(75);
  });

  test("every view fits 1280 and 390 pixels, light and dark, without an error or a foreign request", async () => {
    const runs = temporaryFolder();
    const day = 86_400_000;
    new RunWriter({ folder: join(runs, "kits19-baseline"), seed: 3, epochs: 40, stepsPerEpoch: 40, from: Date.now() - day }).complete();
    const failed = new RunWriter({ folder: join(runs, "kits19-lr-1e-3"), seed: 4, epochs: 40, stepsPerEpoch: 40, from: Date.now() - day / 2 });
    failed.start();
    failed.until(300);
    failed.write({ type: "end", status: "failed", message: "training: loss must be finite, got NaN (sample case_00041)" });
    const live = new RunWriter({ folder: join(runs, "kits19-residual"), seed: 6, epochs: 40, stepsPerEpoch: 40, from: Date.now() - 300_000 });
    live.manifest();
    live.start();
    live.until(960);
    new RunWriter({ folder: join(runs, "just-started") }).start();
    for (const fold of [0, 1, 2]) {
      const writer = new RunWriter({
        folder: join(runs, "cross", `fold-${fold}`),
        seed: fold,
        epochs: 12,
        stepsPerEpoch: 20,
        from: Date.now() - day,
        cases: [`case_0000${fold}`, `case_0001${fold}`],
      });
      writer.complete();
    }
    const { url } = await openDashboard({ runs });
    const views = {
      runs: "#/",
      training: "#/run/kits19-residual/training",
      pipeline: "#/run/kits19-residual/pipeline",
      samples: "#/run/kits19-baseline/samples",
      evaluation: "#/run/kits19-baseline/evaluation",
      log: "#/run/kits19-baseline/log",
      folds: "#/folds/cross",
      compare: "#/compare/kits19-residual,kits19-baseline",
      empty: "#/run/just-started/pipeline",
      failed: "#/run/kits19-lr-1e-3/training",
      unknown: "#/run/none/training",
    };
    for (const [width, colorScheme] of [
      [1280, "light"],
      [390, "light"],
      [1280, "dark"],
      [390, "dark"],
    ] as const) {
      const { page, faults } = await openPage(browser(), url, { viewport: { width, height: 860 }, colorScheme });
      for (const [name, address] of Object.entries(views)) {
        const expected =
          {
            runs: "kits19-residual",
            samples: "Latest preview",
            evaluation: "case_00003",
            log: "Completed",
            folds: "case_00012",
            compare: "kits19-baseline",
            empty: "has not reported yet",
            failed: "loss must be finite",
            unknown: "no run of this name",
          }[name] ?? "Live";
        await page.goto(url + address);
        await page.locator(`text=${expected}`).first().waitFor();
        if (name === "samples" || name === "evaluation")
          await page.waitForFunction(() =>
            [...document.images].filter(({ loading }) => loading === "lazy").every(({ complete, naturalWidth }) => !complete || naturalWidth > 0),
          );
        // What is drawn is fitted to its place before the next frame.
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
        await page.screenshot({ path: join(ARTIFACTS, `${name}-${width}-${colorScheme}.png`), fullPage: true });
        const found = await page.evaluate(() => {
          const nameOf = (node: any) => node.getAttribute("aria-label") || node.textContent?.trim() || node.labels?.[0]?.textContent?.trim() || "";
          return {
            width: document.documentElement.scrollWidth,
            nameless: [...document.querySelectorAll("a, button, input, select, [role=img]")]
              .filter((node) => nameOf(node) === "")
              .map((node) => node.outerHTML.slice(0, 120)),
            imagesWithoutAlt: [...document.images].filter((image) => !image.hasAttribute("alt")).length,
            headings: document.querySelectorAll("h1").length,
            // No level is left out: h1, then h2, then h3.
            skipped: [...document.querySelectorAll("h1, h2, h3, h4")]
              .map((node) => Number(node.tagName[1]))
              .filter((level, i, all) => i > 0 && level > all[i - 1]! + 1).length,
            // Curves are never cut off by their card.
            cut: [...document.querySelectorAll(".chart-plot:not([hidden])")].filter(
              (area) => area.querySelector(".uplot")?.scrollHeight > area.clientHeight + 1,
            ).length,
          };
        });
        expect(found, `${name} at ${width}`).toEqual({ width, nameless: [], imagesWithoutAlt: 0, headings: 1, skipped: 0, cut: 0 });
      }
      // The unknown run answers 404, which Chromium notes in the console.
      expect(faults.filter((fault) => !fault.includes("status of 404"))).toEqual([]);
    }
  }, 600_000);

  test("HTML in names and messages stays text", async () => {
    const runs = temporaryFolder();
    const evil = `<img src=x onerror="alert(1)">`;
    const writer = new RunWriter({
      folder: join(runs, evil),
      epochs: 2,
      stepsPerEpoch: 10,
      cases: [evil, "<svg onload=alert(2)>", "'\"><script>alert(3)</script>"],
    });
    writer.start();
    writer.write({ type: "warning", message: `<b id="bold">bold</b>${evil}` });
    writer.write({ type: "skip", id: evil, stage: evil, message: evil });
    writer.write({ ...writer.nextStep(), metrics: { [evil]: 0.5 } });
    writer.write({
      type: "stages",
      stages: [
        {
          name: evil,
          to: [evil],
          in: 1,
          out: 1,
          held: 1,
          maxHeld: 1,
          running: 1,
          skipped: 0,
          state: "busy",
          busyMs: 1,
          blockedMs: 0,
          starvedMs: 0,
          workMs: 1,
          knobs: { [evil]: 1 },
        },
      ],
      bytesInUse: 1,
      budget: 2,
      verdict: evil,
    });
    writer.evaluation();
    mkdirSync(join(writer.folder, "samples"));
    const history = [
      { operator: evil, params: { [evil]: evil } },
      { operator: "normalize", params: { mode: evil } },
    ];
    const description = {
      step: 1,
      epoch: 1,
      shape: [1, 2, 2, 1],
      classes: ["background", evil],
      label: null,
      left: 0,
      samples: [{ id: evil, patch: 0, origin: null, history }],
    };
    writeFileSync(join(writer.folder, "samples", "step-000000001.json"), JSON.stringify(description));
    writeFileSync(join(writer.folder, "samples", "step-000000001.bin"), Buffer.alloc(16));
    writer.write({ type: "preview", path: evil, id: evil, epoch: 1, volumes: { image: evil, label: evil, prediction: evil } });
    const { url } = await openDashboard({ runs });
    const { page, faults } = await openPage(browser(), url);
    await page.getByRole("link", { name: evil }).click();
    const views = {
      Training: '[aria-label="Scores"] .legend-entry',
      Pipeline: ".node",
      Samples: ".history li",
      Volumes: ".view .empty, .case-entry",
      Evaluation: ".confusion",
      "Log & system": ".log-line.skip",
    };
    for (const [view, marks] of Object.entries(views)) {
      await page.getByRole("link", { name: view, exact: true }).click();
      await page.locator(marks).first().waitFor();
      expect(await page.evaluate(() => document.querySelectorAll("#bold, script:not([src]), [onerror], [onload]").length)).toBe(0);
    }
    expect(await page.locator(".log").textContent()).toContain(evil);
    expect(faults).toEqual([]);
  });

  test("works by keyboard: open a run, read points, go back", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "live") });
    writer.start();
    writer.until(30);
    const { url } = await openDashboard({ runs });
    const { page, faults } = await openPage(browser(), url);
    await page.getByRole("link", { name: "live" }).waitFor();
    const focus = () => page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.getAttribute("aria-label"));
    const seen: (string | null | undefined)[] = [];
    for (let i = 0; i < 8 && seen.at(-1) !== "live"; i++) {
      await page.keyboard.press("Tab");
      seen.push(await focus());
    }
    expect(seen[0]).toBe("Skip to the content");
    expect(seen.at(-1)).toBe("live");
    await page.keyboard.press("Enter");
    await hasSteps(page, 30);
    const chart = page.locator('section[aria-label="Loss"]');
    await chart.locator(".chart-plot").focus();
    await page.keyboard.press("Home");
    expect(await chart.getAttribute("data-at")).toBe("1");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await chart.getAttribute("data-at")).toBe("3");
    await page.keyboard.press("End");
    expect(await chart.getAttribute("data-at")).toBe("30");
    await page.goBack();
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("dragging zooms into full detail, the button leads back", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "long"), epochs: 5, stepsPerEpoch: 1000 });
    writer.start();
    writer.until(5000);
    const { url } = await openDashboard({ runs });
    const { page, faults } = await openPage(browser(), `${url}#/run/long/training`);
    await hasSteps(page, 5000);
    const chart = page.locator('section[aria-label="Loss"]');
    const coarse = Number(await chart.getAttribute("data-points"));
    expect(coarse).toBeLessThanOrEqual(1024);
    const box = (await chart.locator(".u-over").boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.4, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 5 });
    await page.mouse.up();
    const all = page.getByRole("button", { name: "Show all steps" });
    await all.waitFor();
    // A tenth of 5000 steps, each by itself.
    await page.waitForFunction(() => Math.abs(Number(document.querySelector('section[aria-label="Loss"]')!.dataset.points) - 500) < 20);
    await all.click();
    await page.waitForFunction((count) => Number(document.querySelector('section[aria-label="Loss"]')!.dataset.points) === count, coarse);
    expect(faults).toEqual([]);
  });

  test("keys zoom a chart around the point that is read, and Escape shows all", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "live"), epochs: 20, stepsPerEpoch: 50 });
    writer.start();
    writer.until(100);
    const { url } = await openDashboard({ runs });
    const { page, faults } = await openPage(browser(), `${url}#/run/live/training`);
    await hasSteps(page, 100);
    await page.locator('section[aria-label="Loss"] .chart-plot').focus();
    await page.keyboard.press("End");
    await page.keyboard.press("+");
    const all = page.getByRole("button", { name: "Show all steps" });
    await all.waitFor();
    await page.keyboard.press("Escape");
    await all.waitFor({ state: "hidden" });
    await page.keyboard.press("+");
    await all.waitFor();
    await page.keyboard.press("-");
    await all.waitFor({ state: "hidden" });
    // The legend is made anew when an entry is pressed; the keyboard stays where it is.
    const entry = page.locator('section[aria-label="Loss"] .legend-entry').first();
    await entry.focus();
    await page.keyboard.press("Enter");
    expect(await entry.getAttribute("aria-pressed")).toBe("false");
    await page.keyboard.press("Enter");
    expect(await entry.getAttribute("aria-pressed")).toBe("true");
    expect(faults).toEqual([]);
  });

  test("the evaluation shows class against class, of all cases and of one, and leads to the case", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "live"), epochs: 2, stepsPerEpoch: 10 });
    writer.complete();
    writePhantomCase({ prediction: join(writer.folder, "predictions", "case_00003.nii.gz") });
    const { url } = await openDashboard({ runs });
    const { page, faults } = await openPage(browser(), `${url}#/run/live/evaluation`);
    const row = (name: string) =>
      page
        .locator(".confusion tbody tr", { has: page.getByRole("rowheader", { name }) })
        .locator("td")
        .allTextContents();
    await page.locator(".confusion").waitFor();
    expect(await page.locator(".confusion thead th").allTextContents()).toEqual(["true ↓ predicted →", "background", "kidney", "tumor"]);
    // Tumors of all cases: 4 times 600 missed, 200 taken for kidney, 3200 found.
    expect(await row("tumor")).toEqual(["15 %2,400", "5.0 %800", "80 %12,800"]);
    const summary = page.getByRole("region", { name: "Summary" });
    expect(await summary.getByRole("row", { name: "Dice" }).locator("td").allTextContents()).toEqual(["0.947", "0.692of 3 cases"]);
    await page.getByRole("button", { name: "Enlarge case_00012" }).click();
    const large = page.getByRole("dialog", { name: "Enlarged picture" });
    expect(await large.getByRole("link", { name: "In three planes" }).getAttribute("href")).toBe("#/run/live/volumes/case_00012");
    await page.keyboard.press("Escape");
    await page.getByLabel("Cases of the table").selectOption("case_00003");
    expect(await row("tumor")).toEqual(["15 %600", "5.0 %200", "80 %3,200"]);
    const scores = page.getByRole("region", { name: "Scores per case" });
    await scores.getByRole("button", { name: "case" }).click();
    // Drawn anew, the button still has the keyboard.
    expect(await page.evaluate(() => document.activeElement?.getAttribute("title"))).toBe("Sort by case");
    await scores.getByRole("link", { name: "case_00003" }).click();
    await page.locator('[data-loaded="case_00003"]').waitFor();
    expect(page.url()).toContain("#/run/live/volumes/case_00003");
    expect(faults.filter((fault) => !fault.includes("GPU stall") && !fault.includes("WebGL"))).toEqual([]);
  });

  test("a volume is drawn with its overlay, in three planes and 3D", async () => {
    const root = temporaryFolder();
    const data = join(root, "data");
    const writer = new RunWriter({ folder: join(root, "runs", "live"), epochs: 2, stepsPerEpoch: 10, cases: ["case_00000", "case_00003"] });
    writer.complete();
    for (const id of writer.cases) {
      writePhantomCase({
        image: join(data, id, "imaging.nii.gz"),
        label: join(data, id, "segmentation.nii.gz"),
        prediction: join(writer.folder, "predictions", `${id}.nii.gz`),
      });
    }
    const { url } = await openDashboard({ runs: join(root, "runs"), data: [data] });
    const { page, faults } = await openPage(browser(), `${url}#/run/live/volumes`);
    await page.locator('[data-loaded="case_00003"]').waitFor();
    // Red is the class color of kidneys, on a gray image.
    const colored = () => pixelsOf(page.locator(".volume-canvas"));
    const both = await colored();
    await page.screenshot({ path: join(ARTIFACTS, "volumes-1280-light.png") });
    expect(both.red).toBeGreaterThan(1000);
    expect(both.gray).toBeGreaterThan(20_000);
    await page.getByRole("slider", { name: "Prediction" }).fill("0");
    const without = await colored();
    expect(without.red).toBeLessThan(both.red / 20);
    expect(without.gray).toBeGreaterThan(both.gray);
    await page.getByRole("slider", { name: "Ground truth" }).fill("1");
    expect((await colored()).red).toBeGreaterThan(1000);
    await page.getByLabel("Planes", { exact: true }).selectOption("Axial");
    const place = page.locator(".volume-card [role=status].hint");
    await page.locator(".volume-canvas").focus();
    await page.keyboard.press("PageUp");
    await expect.poll(() => place.textContent()).toMatch(/\d/);
    const before = await place.textContent();
    await page.keyboard.press("PageUp");
    await expect.poll(() => place.textContent()).not.toBe(before);
    await page.getByLabel("Planes", { exact: true }).selectOption("3D");
    await expect.poll(async () => (await colored()).red + (await colored()).gray, { timeout: 30_000 }).toBeGreaterThan(1000);
    await page.getByRole("button", { name: "case_00000" }).click();
    await page.locator('[data-loaded="case_00000"]').waitFor();
    expect(page.url()).toContain("/volumes/case_00000");
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForFunction(() => document.querySelector(".volume-canvas").clientWidth < 390);
    await page.screenshot({ path: join(ARTIFACTS, "volumes-390-light.png"), fullPage: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.getByRole("link", { name: "Training" }).click();
    await page.locator('section[aria-label="Loss"]').waitFor();
    expect(faults.filter((fault) => !fault.includes("GPU stall") && !fault.includes("WebGL"))).toEqual([]);
  }, 300_000);

  test("asks for the token, refuses a wrong one, and follows the run live with the right one", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "live") });
    writer.start();
    writer.until(20);
    const token = "correct-horse-battery-staple";
    const { url } = await openDashboard({ runs, token });
    const { page } = await openPage(browser(), url);
    await page.getByLabel("Token").fill("not-the-right-token-at-all");
    await page.keyboard.press("Enter");
    await page.locator("text=This is not the token").waitFor();
    await page.getByLabel("Token").fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "live" }).click();
    await hasSteps(page, 20);
    writer.until(35);
    await hasSteps(page, 35);

    const { page: other, faults } = await openPage(browser(), `${url}#token=${token}`);
    await other.getByRole("link", { name: "live" }).waitFor();
    expect(other.url()).not.toContain(token);
    expect(faults).toEqual([]);
  });
});
