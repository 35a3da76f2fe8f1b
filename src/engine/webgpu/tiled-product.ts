/** Extents of the tiles that a workgroup computes, and of what each of its threads does of them. */
export interface Tiles {
  /** Rows of a tile: threads / (columns / 4) × rows of a thread. */
  readonly tall: number;
  readonly wide: number;
  readonly deep: number;
  readonly threads: number;
  /** Rows of a thread; it has four columns. */
  readonly each: number;
}

/** Tiles for a product with so many columns. */
export function tilesFor(columns: number): Tiles {
  const wide = columns <= 16 ? 16 : columns <= 32 ? 32 : 64;
  const [threads, each] = [256, 4];
  return { tall: (threads / (wide / 4)) * each, wide, deep: 16, threads, each };
}

export interface TiledProduct {
  readonly tiles: Tiles;
  /** Tiles side by side over the columns. */
  readonly across: number;
  /** Depth of the product, in WGSL; uniform over the workgroup. */
  readonly depth: string;
  /** Statements before the loop: what all rows need. */
  readonly before?: string;
  /** Statements per row i of a thread's loads: what `load` needs of row `m${i}`. */
  readonly row: (i: number) => string;
  /** Statement that sets `v`, four values of row i from depth `k` on. */
  readonly left: (i: number) => string;
  /** Statement that sets `v`, four columns from `n` on at depth `k`. */
  readonly right: string;
  /** Statement that stores `r`, four columns from `n` on of row `m`. */
  readonly store: string;
}

const lines = (count: number, line: (i: number) => string): string => Array.from({ length: count }, (_, i) => line(i)).join("\n");

/**
 * WGSL of a matrix product whose factors are gathered as they are read, as a convolution is one: a workgroup loads a tile of each into its own memory and
 * multiplies them there. `cls` counts the products of one call.
 */
export function tiledProduct({ tiles, across, depth, before = "", row, left, right, store }: TiledProduct): string {
  const { tall, wide, deep, threads, each } = tiles;
  const [quads, leftLoads, rightLoads] = [wide / 4, (tall * deep) / 4, (deep * wide) / 4];
  const within = (loads: number, i: number): string => (loads % threads === 0 ? "" : `if (t + ${i * threads} < ${loads}) `);
  return `
  var<workgroup> leftTile : array<array<vec4<f32>, ${deep / 4}>, ${tall}>;
  var<workgroup> rightTile : array<array<vec4<f32>, ${quads}>, ${deep}>;
  var<workgroup> depthOfAll : i32;
  fn main() {
    let t = i32(localIndex);
    let tileM = i32(workgroupId.y * numWorkgroups.x + workgroupId.x);
    let tileN = i32(workgroupId.z) % ${across};
    let cls = i32(workgroupId.z) / ${across};
    let tx = t % ${quads};
    let ty = t / ${quads};
    ${before}
    if (localIndex == 0u) { depthOfAll = ${depth}; }
    let K = workgroupUniformLoad(&depthOfAll);
    ${lines(Math.ceil(leftLoads / threads), (i) => `let at${i} = (t + ${i * threads}) / ${deep / 4}; let m${i} = tileM * ${tall} + at${i}; ${row(i)}`)}
    let leftK = (t % ${deep / 4}) * 4;
    var sums : array<vec4<f32>, ${each}>;
    for (var k0 = 0; k0 < K; k0 += ${deep}) {
      ${lines(Math.ceil(leftLoads / threads), (i) => `${within(leftLoads, i)}{ let k = k0 + leftK; var v = vec4<f32>(0.0); ${left(i)} leftTile[at${i}][leftK / 4] = v; }`)}
      ${lines(
        Math.ceil(rightLoads / threads),
        (i) => `${within(rightLoads, i)}{
          let place = t + ${i * threads};
          let k = k0 + place / ${quads};
          let n = tileN * ${wide} + (place % ${quads}) * 4;
          var v = vec4<f32>(0.0);
          if (k < K) { ${right} }
          rightTile[place / ${quads}][place % ${quads}] = v;
        }`,
      )}
      workgroupBarrier();
      for (var kk = 0; kk < ${deep / 4}; kk++) {
        let b0 = rightTile[kk * 4][tx];
        let b1 = rightTile[kk * 4 + 1][tx];
        let b2 = rightTile[kk * 4 + 2][tx];
        let b3 = rightTile[kk * 4 + 3][tx];
        ${lines(
          each,
          (i) => `{
          let a = leftTile[ty * ${each} + ${i}][kk];
          sums[${i}] = fma(vec4<f32>(a.x), b0, sums[${i}]);
          sums[${i}] = fma(vec4<f32>(a.y), b1, sums[${i}]);
          sums[${i}] = fma(vec4<f32>(a.z), b2, sums[${i}]);
          sums[${i}] = fma(vec4<f32>(a.w), b3, sums[${i}]);
        }`,
        )}
      }
      workgroupBarrier();
    }
    let n = tileN * ${wide} + tx * 4;
    ${lines(each, (i) => `{ let m = tileM * ${tall} + ty * ${each} + ${i}; var r = sums[${i}]; ${store} }`)}
  }`;
}

// One part after the other in a loop: written out four times, drivers take a minute to compile some shaders.
const each = (body: string): string => `for (var part = 0; part < 4; part++) { ${body} }`;

/** Sets `v` to four columns from `n` on of a row of a matrix with so many. */
export function loadFour(name: string, columns: number, row: string): string {
  if (columns % 4 === 0) return `if (n < ${columns}) { v = ${name}[((${row}) * ${columns} + n) / 4]; }`;
  return `let start = (${row}) * ${columns}; ${each(`if (n + part < ${columns}) { v[part] = ${name}[start + n + part]; }`)}`;
}

/** Stores four columns from `n` on in a row of a matrix with so many. */
export function storeFour(columns: number, row: string): string {
  if (columns % 4 === 0) return `if (n < ${columns}) { result[((${row}) * ${columns} + n) / 4] = r; }`;
  return `let start = (${row}) * ${columns}; ${each(`if (n + part < ${columns}) { result[start + n + part] = r[part]; }`)}`;
}

/** Sets `v` to four values from depth `k` on, which counts taps times channels; `fetch` sets one of them from a tap and the place of a channel. */
export function gatherFour(channels: number, name: string, fetch: (into: string, load: (at: string) => string) => string): string {
  if (channels % 4 === 0) {
    return `if (k < K) { let tap = k / ${channels}; let c = k - tap * ${channels}; ${fetch("v", (at) => `${name}[(${at} + c) / 4]`)} }`;
  }
  const one = fetch("v[part]", (at) => `${name}[${at} + c]`);
  return each(`let kq = k + part; if (kq < K) { let tap = kq / ${channels}; let c = kq - tap * ${channels}; ${one} }`);
}
