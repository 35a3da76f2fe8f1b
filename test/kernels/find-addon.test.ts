import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ADDON_FILES, findAddon } from "../../src/kernels/find-addon.js";
import { native } from "../../src/kernels/native.js";

const [BUILT, PREBUILT] = ADDON_FILES as [string, string];

/** A package of that version with addons at these places: copies of the one that runs here, or something that is none. */
function packageWith(version: string, files: Readonly<Record<string, "addon" | "rubbish">>): string {
  const root = mkdtempSync(join(tmpdir(), "vox-addon-"));
  writeFileSync(join(root, "package.json"), JSON.stringify({ version }));
  for (const [file, kind] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    if (kind === "rubbish") writeFileSync(join(root, file), "no library");
    else copyFileSync(join(process.cwd(), findAddon(process.cwd()).file!), join(root, file));
  }
  return root;
}

describe.skipIf(!native())("the addon", () => {
  const { version } = native()!;

  it("is the one that was built here, before a prebuilt one", () => {
    expect(findAddon(packageWith(version, { [BUILT]: "addon", [PREBUILT]: "addon" }))).toMatchObject({ file: BUILT, reason: "" });
  });

  it("is the prebuilt one where nothing was built", () => {
    expect(findAddon(packageWith(version, { [PREBUILT]: "addon" })).file).toBe(PREBUILT);
  });

  it("is the prebuilt one where the build does not load", () => {
    expect(findAddon(packageWith(version, { [BUILT]: "rubbish", [PREBUILT]: "addon" })).file).toBe(PREBUILT);
  });

  it("is not one of another version", () => {
    const { addon, reason } = findAddon(packageWith("99.0.0", { [BUILT]: "addon" }));
    expect(addon).toBeUndefined();
    expect(reason).toBe(`${BUILT} was built from version ${version}, this is 99.0.0 (npm run build:native)`);
  });

  it("says why there is none", () => {
    expect(findAddon(packageWith(version, {})).reason).toBe("the addon was not built");
    expect(findAddon(packageWith(version, { [PREBUILT]: "rubbish" })).reason).toMatch(/^prebuilds.*voxstream\.node does not load: /);
  });
});
