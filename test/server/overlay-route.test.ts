import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openDashboard } from "./fixture/open-dashboard.js";
import { writePhantomCase } from "./fixture/phantom-case.js";
import { RunWriter } from "./fixture/run-writer.js";
import { temporaryFolder } from "./fixture/temporary-folder.js";

async function setUp() {
  const root = temporaryFolder();
  const data = join(root, "data");
  const folder = join(root, "runs", "first");
  new RunWriter({ folder }).start();
  for (const id of ["case_00000", "case_00001"])
    writePhantomCase({ image: join(data, id, "imaging.nii.gz"), label: join(data, id, "segmentation.nii.gz") });
  writePhantomCase({ prediction: join(folder, "predictions", "case_00000.nii.gz") });
  const { url } = await openDashboard({ runs: join(root, "runs"), data: [data] });
  const address = (id: string, kind: string) => `${url}api/runs/first/cases/${id}/overlay/${kind}`;
  return { folder, data, address };
}

describe("overlays drawn by the server", () => {
  test("a film and a still of a predicted case, and nothing stays behind", async () => {
    const { address } = await setUp();
    // Of its own: other tests draw, too.
    const scratch = temporaryFolder();
    vi.stubEnv("TMPDIR", scratch);
    onTestFinished(() => void vi.unstubAllEnvs());
    const [film, still] = await Promise.all([fetch(address("case_00000", "gif")), fetch(address("case_00000", "png"))]);
    expect([film.status, still.status]).toEqual([200, 200]);
    expect(film.headers.get("content-type")).toBe("image/gif");
    const gif = Buffer.from(await film.arrayBuffer());
    expect(gif.subarray(0, 6).toString()).toBe("GIF89a");
    const picture = await loadImage(Buffer.from(await still.arrayBuffer()));
    const draw = createCanvas(picture.width, picture.height).getContext("2d");
    draw.drawImage(picture, 0, 0);
    const { data } = draw.getImageData(0, 0, picture.width, picture.height);
    let red = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i]! > 1.4 * data[i + 1]! && data[i]! > 90) red++;
    // Kidneys, twice: ground truth beside prediction.
    expect(red).toBeGreaterThan(1000);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("only of predicted cases, only of files that fit, and no path gets out", async () => {
    const { folder, data, address } = await setUp();
    const status = async (id: string, kind = "png") => (await fetch(address(id, kind))).status;
    expect(await status("case_00001")).toBe(404);
    expect(await status("case_00000", "svg")).toBe(400);
    for (const way of ["..%2f..%2fsecret", "%2e%2e", "case_00000%00", "predictions%2fcase_00000"])
      expect([400, 403, 404]).toContain(await status(way));
    writeFileSync(join(folder, "predictions", "case_00001.nii.gz"), "no NIfTI at all");
    const broken = await fetch(address("case_00001", "png"));
    expect(broken.status).toBe(422);
    expect(await broken.text()).not.toContain(data);
    mkdirSync(join(folder, "predictions", "case_00002.nii.gz"));
    expect(await status("case_00002")).toBe(404);
  });
});
