import { Random } from "../../core/random.js";
import type { Triple } from "../../core/shape.js";
import { roughNormal } from "./rough-normal.js";
import { smoothField } from "./smooth-field.js";

/** A drawn case in canonical orientation. */
export interface Phantom {
  /** Hounsfield units. */
  readonly image: Int16Array;
  /** 0 background, 1 kidney, 2 tumor. */
  readonly label: Uint8Array;
  readonly tumors: number;
}

interface Ellipsoid {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly rx: number;
  readonly ry: number;
  readonly rz: number;
  /** Tilt in the plane of x and z: upper poles of the kidneys lean to the spine. */
  readonly lean: number;
}

interface Kidney extends Ellipsoid {
  /** -1 left, 1 right. */
  readonly side: number;
  readonly cortex: number;
  readonly medulla: number;
}

interface Tumor extends Ellipsoid {
  readonly value: number;
}

/**
 * A crude contrast-enhanced CT of the abdomen, in coordinates from -1 to 1 along each axis of the field of view: body with skin fat and muscle, ribs,
 * spine, aorta and vena cava, liver, spleen, psoas, bowel in fat, and two kidneys with cortex, medulla and sinus, with up to three tumors inside or at the
 * border of a kidney. Partial volume at all borders, correlated noise on top. The same key draws the same voxels.
 *
 * @shape (D, H, W)
 * @units image in HU
 * @label 0 background, 1 kidney, 2 tumor
 */
export function drawPhantom(shape: Triple, seed: number, id: string): Phantom {
  const random = new Random(seed, "phantom", id);
  const kidneys = [-1, 1].map((side) => drawKidney(random, side));
  const tumors = drawTumors(random, kidneys);
  const tissue = paint(random, shape, kidneys, tumors);
  soften(tissue.values, shape);
  return { image: withNoise(random, shape, tissue.values), label: tissue.label, tumors: tumors.length };
}

function drawKidney(random: Random, side: number): Kidney {
  return {
    side,
    x: side * random.uniform(0.37, 0.44),
    y: random.uniform(-0.34, -0.24),
    z: random.uniform(-0.16, 0.16) - side * 0.05,
    rx: random.uniform(0.15, 0.19),
    ry: random.uniform(0.17, 0.21),
    rz: random.uniform(0.36, 0.48),
    lean: side * random.uniform(0.08, 0.22),
    cortex: random.uniform(185, 215),
    medulla: random.uniform(150, 175),
  };
}

function drawTumors(random: Random, kidneys: readonly Kidney[]): Tumor[] {
  const draw = random.next();
  const count = draw < 0.1 ? 0 : draw < 0.6 ? 1 : draw < 0.87 ? 2 : 3;
  return Array.from({ length: count }, () => {
    const kidney = kidneys[random.integer(0, 1)]!;
    // A direction that is not toward the sinus, at 55 % to 105 % of the way to the border.
    const angle = random.uniform(-0.6 * Math.PI, 0.6 * Math.PI);
    const height = random.uniform(-0.75, 0.75);
    const reach = random.uniform(0.55, 1.05);
    const across = Math.sqrt(1 - height * height);
    const z = height * reach * kidney.rz;
    const size = random.uniform(0.13, 0.23);
    return {
      x: kidney.x + kidney.side * Math.cos(angle) * across * reach * kidney.rx + kidney.lean * -z,
      y: kidney.y + Math.sin(angle) * across * reach * kidney.ry,
      z: kidney.z + z,
      rx: size * random.uniform(0.9, 1.1),
      ry: size * random.uniform(0.9, 1.1),
      rz: size * random.uniform(0.9, 1.2),
      lean: 0,
      value: random.uniform(60, 100),
    };
  });
}

/** Squared distance from the center in units of the half axes: below 1 inside. */
function inside(e: Ellipsoid, x: number, y: number, z: number): number {
  const dz = z - e.z;
  const dx = (x - e.x + e.lean * dz) / e.rx;
  const dy = (y - e.y) / e.ry;
  return dx * dx + dy * dy + (dz / e.rz) * (dz / e.rz);
}

const AIR = -1000;
const FAT = -100;

function paint(random: Random, shape: Triple, kidneys: readonly Kidney[], tumors: readonly Tumor[]): { values: Float32Array; label: Uint8Array } {
  const [depth, height, width] = shape;
  const values = new Float32Array(depth * height * width);
  const label = new Uint8Array(values.length);
  const wobble = smoothField(random, shape, [5, 7, 7]);
  const texture = smoothField(random, shape, [10, 16, 16]);
  const bowel = smoothField(random, shape, [7, 14, 14]);

  const body = { rx: random.uniform(0.84, 0.92), ry: random.uniform(0.66, 0.76), y: random.uniform(-0.03, 0.03) };
  const fatRim = random.uniform(0.72, 0.84);
  const muscleRim = fatRim - random.uniform(0.07, 0.11);
  const spine = { y: random.uniform(-0.46, -0.4), r: random.uniform(0.12, 0.15) };
  const vertebra = random.uniform(0.34, 0.44);
  const vertebraPhase = random.next();
  const ribPhase = random.next();
  const liver = {
    x: 0.42,
    y: 0.12,
    z: random.uniform(0.45, 0.75),
    rx: 0.42,
    ry: 0.42,
    rz: random.uniform(0.6, 0.8),
    lean: 0.2,
    value: random.uniform(95, 120),
  };
  const spleen = { x: -0.56, y: -0.12, z: random.uniform(0.55, 0.75), rx: 0.16, ry: 0.26, rz: 0.4, lean: 0, value: random.uniform(110, 130) };
  const aorta = { x: random.uniform(-0.1, -0.05), y: spine.y + spine.r + 0.1, r: random.uniform(0.055, 0.07), value: random.uniform(190, 240) };
  const cava = { x: random.uniform(0.07, 0.12), y: spine.y + spine.r + 0.09, r: random.uniform(0.06, 0.075), value: random.uniform(130, 160) };
  const sinus = kidneys.map((k) => ({ ...k, x: k.x - k.side * k.rx * 0.75, rx: k.rx * 0.75, ry: k.ry * 0.4, rz: k.rz * 0.4 }));

  let n = 0;
  for (let iz = 0; iz < depth; iz++) {
    const z = ((iz + 0.5) / depth) * 2 - 1;
    const disc = Math.abs((((z / vertebra + vertebraPhase) % 1) + 1) % 1) < 0.22;
    for (let iy = 0; iy < height; iy++) {
      const y = ((iy + 0.5) / height) * 2 - 1;
      for (let ix = 0; ix < width; ix++, n++) {
        const x = ((ix + 0.5) / width) * 2 - 1;
        const bend = wobble[n]! * 0.05;
        const radius = Math.sqrt((x / body.rx) ** 2 + ((y - body.y) / body.ry) ** 2) + 0.6 * bend;
        if (radius > 1) {
          values[n] = AIR;
          continue;
        }
        const grain = texture[n]!;
        let value: number;
        if (radius > 0.985) value = 20;
        else if (radius > fatRim) value = FAT - 5 + 8 * grain;
        else if (radius > muscleRim) value = isRib(x, y, z, radius, muscleRim, ribPhase) ? 420 : 55 + 8 * grain;
        else value = bowel[n]! > 0.12 ? 38 + 12 * grain : FAT + 12 * grain;
        if (radius <= muscleRim) {
          if (inside(liver, x, y, z) + bend * 2 < 1) value = liver.value + 8 * grain;
          else if (inside(spleen, x, y, z) + bend * 2 < 1) value = spleen.value + 8 * grain;
          for (const side of [-1, 1]) {
            const psoas = ((x - side * (spine.r + 0.08)) / 0.09) ** 2 + ((y - spine.y) / 0.13) ** 2 + bend;
            if (psoas < 1) value = 62 + 8 * grain;
          }
          for (const vessel of [aorta, cava]) if ((x - vessel.x) ** 2 + (y - vessel.y) ** 2 < vessel.r ** 2) value = vessel.value + 5 * grain;
        }
        const back = spine.y - spine.r;
        if (radius <= fatRim && Math.abs(x) < 0.28 && y < back) value = 58 + 10 * grain;
        const column = (x * x + (y - spine.y) ** 2) / spine.r ** 2;
        if (column < 1) value = disc ? 85 : column > 0.72 ? 480 : 210 + 45 * grain;
        else if (x * x + (y - back + 0.045) ** 2 < 0.0025) value = 25;
        else if (x * x + (y - back + 0.045) ** 2 < 0.009) value = 380;
        else if (Math.abs(x) < 0.03 && y < back - 0.09 && y > back - 0.24) value = 360;

        for (let side = 0; side < 2; side++) {
          const kidney = kidneys[side]!;
          const r = inside(kidney, x, y, z) + 2.5 * bend;
          if (r > 1.75) continue;
          if (r > 1) {
            // Perirenal fat lies around the kidney, inside the abdominal wall, and gives way to the spine.
            if (column > 1.4 && radius < muscleRim) value = FAT + 10 * grain;
          } else if (inside(sinus[side]!, x, y, z) < 1) value = FAT + 40 + 40 * grain;
          else {
            label[n] = 1;
            value = r > 0.6 ? kidney.cortex + 10 * grain : kidney.medulla + 22 * grain;
          }
        }
        for (const tumor of tumors) {
          const r = inside(tumor, x, y, z) + 2.5 * bend;
          if (r >= 1 || radius >= fatRim || column < 1) continue;
          label[n] = 2;
          value = tumor.value + 14 * grain - (r < 0.2 ? 15 : 0);
        }
        values[n] = value;
      }
    }
  }
  return { values, label };
}

/** Ribs run around the wall and down to the front. */
function isRib(x: number, y: number, z: number, radius: number, rim: number, phase: number): boolean {
  if (radius > rim + 0.05 || y > 0.35) return false;
  const along = (((z + 0.55 * y + 0.1 * Math.abs(x)) / 0.3 + phase) % 1) + 1;
  return along % 1 < 0.28;
}

/** Partial volume: a [1 2 1] / 4 filter in the plane, half as strong across slices. */
function soften(values: Float32Array, [depth, height, width]: Triple): void {
  filter(values, width, 1, depth * height, width, 0.25);
  for (let z = 0; z < depth; z++) filter(values.subarray(z * height * width), height, width, width, 1, 0.25);
  filter(values, depth, height * width, height * width, 1, 0.12);
}

/** v ← side v[-1] + (1 - 2 side) v + side v[+1] in place along lines of `count` values `step` apart; `lines` lines start `apart` apart. Ends repeat. */
function filter(values: Float32Array, count: number, step: number, lines: number, apart: number, side: number): void {
  const middle = 1 - 2 * side;
  for (let line = 0; line < lines; line++) {
    let at = line * apart;
    let before = values[at]!;
    for (let n = 0; n < count; n++, at += step) {
      const here = values[at]!;
      const after = n + 1 < count ? values[at + step]! : here;
      values[at] = side * (before + after) + middle * here;
      before = here;
    }
  }
}

/** Noise of reconstructed CT: some of it correlated in the plane, and steps of one HU. */
function withNoise(random: Random, shape: Triple, values: Float32Array): Int16Array {
  const [depth, height, width] = shape;
  const level = random.uniform(12, 20);
  const noise = new Float32Array(values.length);
  for (let n = 0; n < noise.length; n++) noise[n] = roughNormal(random);
  const grain = noise.slice();
  filter(grain, width, 1, depth * height, width, 0.25);
  for (let z = 0; z < depth; z++) filter(grain.subarray(z * height * width), height, width, width, 1, 0.25);
  // The filter leaves 3/8 of the standard deviation.
  const correlated = (0.85 * level) / 0.375;
  const white = 0.5 * level;
  return Int16Array.from(values, (value, n) => {
    const strength = value < -800 ? 0.5 : 1;
    return Math.max(-1024, Math.round(value + strength * (correlated * grain[n]! + white * noise[n]!)));
  });
}
