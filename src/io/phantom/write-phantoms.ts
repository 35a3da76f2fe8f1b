import { join } from "node:path";
import { requireOption } from "../../core/errors.js";
import { Random } from "../../core/random.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Shape4, Triple } from "../../core/shape.js";
import type { Millimeters } from "../../core/units.js";
import { placeOnGrid } from "../place-on-grid.js";
import { writeVolume } from "../write-volume.js";
import { drawPhantom } from "./draw-phantom.js";
import { orientedAffine, type PhantomOrientation } from "./oriented-affine.js";

export interface WritePhantomsOptions {
  /** Gets one folder per case, in KiTS layout. */
  readonly folder: string;
  readonly cases: number;
  /** Canonical `[depth, height, width]`, each at least 8. */
  readonly shape?: Triple;
  readonly seed?: number;
  /** Mean voxel size `[z, y, x]`; each case differs by up to 6 %. Default: what KiTS19 is usually resampled to. */
  readonly spacing?: readonly [Millimeters, Millimeters, Millimeters];
  /** Number of the first case: `case_00000`. */
  readonly first?: number;
  /** Called after each case. */
  readonly onCase?: (info: PhantomInfo) => void;
  readonly signal?: AbortSignal;
}

export interface PhantomInfo {
  readonly id: string;
  readonly orientation: string;
  readonly spacing: Triple;
  readonly tumors: number;
}

/** Names of the classes that phantoms have. */
export const PHANTOM_CLASSES = ["background", "kidney", "tumor"] as const;

/** By turns: as the anatomist sees it, as DICOM stores it, as KiTS19 stores it, and tilted in the scanner. */
const ORIENTATIONS: readonly PhantomOrientation[] = [
  { letters: "RAS", tilt: 0 },
  { letters: "LPS", tilt: 0 },
  { letters: "IPL", tilt: 0 },
  { letters: "LPS", tilt: 20 },
];

/**
 * Writes KiTS-like CT cases with two kidneys (label 1) and tumors (label 2) as `<folder>/case_00000/imaging.nii.gz` and `segmentation.nii.gz`, int16 and
 * uint8, in four orientations by turns. The same seed gives the same bytes of voxels; case n does not depend on the number of cases.
 *
 * @shape (D, H, W) canonical
 * @units HU, spacing in mm
 * @label 0 background, 1 kidney, 2 tumor
 * @throws `ERR_OPTION`; `ERR_WRITE`
 * @example
 * await writePhantoms({ folder: "data/phantom", cases: 8, seed: 1 });
 */
export async function writePhantoms({
  folder,
  cases,
  shape = [48, 96, 96],
  seed = 0,
  spacing = [3.22, 1.62, 1.62],
  first = 0,
  onCase,
  signal,
  ...unknown
}: WritePhantomsOptions): Promise<readonly PhantomInfo[]> {
  requireKnownOptions("writePhantoms", unknown, ["folder", "cases", "shape", "seed", "spacing", "first", "onCase", "signal"]);
  requireOption(typeof folder === "string" && folder !== "", "writePhantoms", "folder", "a path", folder);
  requireOption(Number.isInteger(cases) && cases > 0, "writePhantoms", "cases", "a positive integer", cases);
  requireOption(
    shape.length === 3 && shape.every((extent) => Number.isInteger(extent) && extent >= 8),
    "writePhantoms",
    "shape",
    "three integers of at least 8",
    shape,
  );
  requireOption(
    spacing.length === 3 && spacing.every((side) => side > 0 && Number.isFinite(side)),
    "writePhantoms",
    "spacing",
    "three positive numbers",
    spacing,
  );
  requireOption(Number.isSafeInteger(seed), "writePhantoms", "seed", "an integer", seed);
  requireOption(Number.isInteger(first) && first >= 0, "writePhantoms", "first", "an integer of at least 0", first);
  const infos: PhantomInfo[] = [];
  for (let n = first; n < first + cases; n++) {
    signal?.throwIfAborted();
    const info = await writePhantom(folder, n, shape, seed, spacing);
    infos.push(info);
    onCase?.(info);
  }
  return infos;
}

async function writePhantom(folder: string, n: number, shape: Triple, seed: number, meanSpacing: Triple): Promise<PhantomInfo> {
  const id = `case_${String(n).padStart(5, "0")}`;
  const { image, label, tumors } = drawPhantom(shape, seed, id);
  const random = new Random(seed, "phantom place", id);
  // Files store float32, and hundredths of a millimeter are all that scanners give.
  const side = (mean: number): number => Math.max(0.01, Math.round(mean * random.uniform(0.94, 1.06) * 100) / 100);
  const inPlane = side(meanSpacing[1]);
  const spacing: Triple = [side(meanSpacing[0]), inPlane, meanSpacing[2] === meanSpacing[1] ? inPlane : side(meanSpacing[2])];
  const orientation = ORIENTATIONS[n % ORIENTATIONS.length]!;
  const center = [random.uniform(-20, 20), random.uniform(-20, 20), random.uniform(-300, 300)] as const;
  const { source } = placeOnGrid({
    format: "phantom",
    path: id,
    dimensions: 3,
    header: null,
    ...orientedAffine(shape, spacing, orientation, center),
  });
  const full: Shape4 = [...shape, 1];
  await writeVolume(join(folder, id, "imaging.nii.gz"), image, full, source, { kind: "int16" });
  await writeVolume(join(folder, id, "segmentation.nii.gz"), label, full, source, { kind: "label" });
  return { id, orientation: orientation.tilt === 0 ? orientation.letters : `${orientation.letters} tilted ${orientation.tilt}°`, spacing, tumors };
}
