#include "winograd.h"

#include <cstring>

#include "conv-tile.h"

namespace VOX_NS {

constexpr int kPositions = 16;
constexpr int64_t kMostTiles = 512;  // of a block
constexpr int kMostSlots = 64;

// Tiles of a work item's pass over the filters: enough that reading them is hidden behind the arithmetic, few enough that the transformed inputs stay in the
// second-level cache.
constexpr int64_t kPassTiles = 64;

// ---- plan -----------------------------------------------------------------------------------------------------------------------------------

static bool plan(const ConvPlan& p, int threads, bool gradient, WinogradPlan& w) {
  for (int a = 1; a < 3; a++) {
    if (p.taps[a] != 3 || p.step[a] != 1 || p.offset[a][1] != p.offset[a][0] + 1 || p.offset[a][2] != p.offset[a][0] + 2) return false;
  }
  if (p.ci < 8 || p.co < 8) return false;
  w.tileRows = (p.out[1] + 1) / 2;
  w.tileColumns = (p.out[2] + 1) / 2;
  w.ciStride = roundUp(p.ci, VL);
  w.coStride = roundUp(p.co, VL);
  // With few tiles the filters' own transforms, larger than the filters, are most of the work; a filter gradient sums there and back.
  const int64_t all = w.tileRows * w.tileColumns * p.out[0] * p.batch;
  const bool large = w.ciStride * w.coStride * p.taps[0] * kPositions > 1 << 18;
  if (w.tileColumns > kMostTiles || all < (!gradient ? 16 : large ? 192 : 64)) return false;
  w.blockRows = least(w.tileRows, most(1, kPassTiles / w.tileColumns));
  equalBlocks(w.tileRows, w.blockRows, w.rowBlocks);
  const int64_t tiles = w.blockRows * w.tileColumns;
  w.tiles = roundUp(tiles, 4);
  cutPlanes(p, w.rowBlocks, threads, w.planes, w.planeBlocks);
  w.group = least(w.planes, most(1, kPassTiles / w.tiles));
  for (;; w.group--) {
    const int64_t span = p.offset[0][p.taps[0] - 1] - p.offset[0][0] + 1;
    w.slots = least(w.group * p.taps[0], (w.group - 1) * p.step[0] + span);
    if (w.slots <= kMostSlots) break;
    if (w.group == 1) return false;
  }
  // An odd number of cache lines: the 16 positions of a tile would fall on the same lines of the first-level cache otherwise.
  w.inPosition = w.tiles * w.ciStride + 16;
  w.outPosition = w.group * w.tiles * 2 * VL + 16;
  return true;
}

static size_t packedSize(const ConvPlan& p) { return static_cast<size_t>(kPositions) * p.taps[0] * p.ci * roundUp(p.co, VL); }

// ---- filters --------------------------------------------------------------------------------------------------------------------------------

constexpr int64_t kPackChannels = 16;

static int64_t packBlocks(const ConvPlan& p) {
  return (p.co + 2 * VL - 1) / (2 * VL) * p.taps[0] * ((p.ci + kPackChannels - 1) / kPackChannels);
}

// Three taps to four factors: G g.
static inline void factors(const vfloat* g, vfloat* u) {
  const vfloat half = splat(0.5f), ends = (g[0] + g[2]) * half, middle = g[1] * half;
  u[0] = g[0];
  u[1] = ends + middle;
  u[2] = ends - middle;
  u[3] = g[2];
}

// [co block of 2 vectors][position][tap along depth][ci][lanes of the block].
static void pack(const ConvPlan& p, const float* w, const int64_t* tapIndex, int64_t tapSize, int64_t strideIn, int64_t strideOut, float* packed,
                 size_t begin, size_t end) {
  const int64_t chunks = (p.ci + kPackChannels - 1) / kPackChannels;
  float taps[9][kPackChannels][2 * VL];
  for (size_t block = begin; block < end; block++) {
    const int64_t k0 = block % chunks * kPackChannels, d = block / chunks % p.taps[0], c = block / chunks / p.taps[0] * 2 * VL;
    const int64_t width = p.co - c > VL ? 2 * VL : VL, filled = least(width, p.co - c), count = least(kPackChannels, p.ci - k0);
    if (filled < width) memset(taps, 0, sizeof taps);
    for (int t = 0; t < 9; t++) {
      const float* from = w + tapIndex[d * 9 + t] * tapSize + c * strideOut + k0 * strideIn;
      if (strideIn == 1) {
        for (int64_t i = 0; i < filled; i++)
          for (int64_t k = 0; k < count; k++) taps[t][k][i] = from[i * strideOut + k];
      } else {
        for (int64_t k = 0; k < count; k++)
          for (int64_t i = 0; i < filled; i++) taps[t][k][i] = from[k * strideIn + i * strideOut];
      }
    }
    float* to = packed + c * kPositions * p.taps[0] * p.ci + (d * p.ci + k0) * width;
    const int64_t position = p.taps[0] * p.ci * width;
    for (int64_t k = 0; k < count; k++, to += width) {
      for (int64_t i = 0; i < width; i += VL) {
        vfloat rows[3][4];
        for (int h = 0; h < 3; h++) {
          const vfloat g[3] = {load(taps[3 * h][k] + i), load(taps[3 * h + 1][k] + i), load(taps[3 * h + 2][k] + i)};
          factors(g, rows[h]);
        }
        for (int j = 0; j < 4; j++) {
          const vfloat g[3] = {rows[0][j], rows[1][j], rows[2][j]};
          vfloat u[4];
          factors(g, u);
          for (int r = 0; r < 4; r++) store(to + (4 * r + j) * position + i, u[r]);
        }
      }
    }
  }
}

// ---- inputs ---------------------------------------------------------------------------------------------------------------------------------

// Lanes past the channels hold whatever lies there: nothing reads what becomes of them. Only the end of the tensor is not passed.
template <bool WHOLE>
static inline __attribute__((always_inline)) vfloat loadInside(const float* p, const float* end, int64_t lanes) {
  return WHOLE || p + VL <= end ? load(p) : loadPart(p, lanes);
}

constexpr int64_t kAhead = 4;  // voxels along a row whose lines are asked for early

// The four sums of a column of four inputs: B^T d.
template <bool WHOLE>
static inline __attribute__((always_inline)) void column(const float* const* row, const int64_t* step, int64_t at, int64_t width, const float* end,
                                                         int64_t lanes, vfloat* sums) {
  vfloat x[4];
  if (static_cast<uint64_t>(at) < static_cast<uint64_t>(width)) {
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
      const float* p = row[r] + at * step[r];
      __builtin_prefetch(p + kAhead * step[r]);
      x[r] = loadInside<WHOLE>(p, end, lanes);
    }
  } else {
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) x[r] = vfloat{};
  }
  sums[0] = x[0] - x[2];
  sums[1] = x[1] + x[2];
  sums[2] = x[2] - x[1];
  sums[3] = x[1] - x[3];
}

template <bool WHOLE>
static void transformRow(const float* const* row, const int64_t* step, int64_t first, int64_t width, const float* end, int64_t lanes, int64_t tiles,
                         int64_t position, int64_t stride, float* to) {
  vfloat a[4], b[4], x[4], y[4];
  column<WHOLE>(row, step, first, width, end, lanes, a);
  column<WHOLE>(row, step, first + 1, width, end, lanes, b);
#pragma GCC unroll 1
  for (int64_t i = 0; i < tiles; i++, to += stride) {
    column<WHOLE>(row, step, first + 2 * i + 2, width, end, lanes, x);
    column<WHOLE>(row, step, first + 2 * i + 3, width, end, lanes, y);
    float* q = to;
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++, q += 4 * position) {
      store(q, a[r] - x[r]);
      store(q + position, b[r] + x[r]);
      store(q + 2 * position, x[r] - b[r]);
      store(q + 3 * position, b[r] - y[r]);
      a[r] = x[r];
      b[r] = y[r];
    }
  }
}

// The tiles of tile rows [row0, row0 + rows) of one input plane to v[position][tile][channel].
static void transformPlane(const ConvPlan& p, const WinogradPlan& w, const float* plane, const float* end, int64_t row0, int64_t rows, float* v) {
  static const float zeros[2 * VL] = {};
  for (int64_t t = 0; t < rows; t++) {
    for (int64_t c = 0; c < p.ci; c += VL) {
      const float* row[4];
      int64_t step[4];
      for (int r = 0; r < 4; r++) {
        const int64_t ih = 2 * (row0 + t) + p.offset[1][0] + r;
        const bool inside = ih >= 0 && ih < p.in[1];
        row[r] = inside ? plane + ih * p.in[2] * p.ci + c : zeros;
        step[r] = inside ? p.ci : 0;
      }
      float* to = v + t * w.tileColumns * w.ciStride + c;
      if (p.ci % VL == 0) transformRow<true>(row, step, p.offset[2][0], p.in[2], end, VL, w.tileColumns, w.inPosition, w.ciStride, to);
      else transformRow<false>(row, step, p.offset[2][0], p.in[2], end, p.ci - c, w.tileColumns, w.inPosition, w.ciStride, to);
    }
  }
}

// Transformed input planes; one is kept while the block moves along depth and needs it.
struct Planes {
  int64_t held[kMostSlots];
  int slot[kMostSlots][64];  // per output plane of the group and tap along depth; -1 outside the input
};

static void openPlanes(Planes& v, const WinogradPlan& w, float* memory, int64_t rows) {
  for (int s = 0; s < w.slots; s++) v.held[s] = -1;
  // Tiles past the last are computed along and never read: they only must not hold what slows arithmetic down.
  const int64_t tiles = rows * w.tileColumns, past = roundUp(tiles, 4) - tiles;
  for (int64_t k = 0; past && k < w.slots * kPositions; k++) memset(memory + k * w.inPosition + tiles * w.ciStride, 0, sizeof(float) * past * w.ciStride);
}

static void movePlanes(Planes& v, const ConvPlan& p, const WinogradPlan& w, const float* sample, const float* end, float* memory, int64_t od, int64_t group,
                       int64_t row0, int64_t rows) {
  bool wanted[kMostSlots] = {};
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t j = 0; j < group; j++) {
      for (int t = 0; t < p.taps[0]; t++) {
        const int64_t id = (od + j) * p.step[0] + p.offset[0][t];
        int& slot = v.slot[j][t];
        if (id < 0 || id >= p.in[0]) {
          slot = -1;
          continue;
        }
        int s = 0;
        while (s < w.slots && v.held[s] != id) s++;
        // What is held already is claimed before anything is overwritten.
        if (s == w.slots) {
          if (pass == 0) continue;
          for (s = 0; wanted[s];) s++;
          v.held[s] = id;
          transformPlane(p, w, sample + id * p.in[1] * p.in[2] * p.ci, end, row0, rows, memory + s * kPositions * w.inPosition);
        }
        wanted[s] = true;
        slot = s;
      }
    }
  }
}

// ---- outputs --------------------------------------------------------------------------------------------------------------------------------

struct Place {
  int64_t tileRow0, tileRows;
  const float* bias;
  int activation;
  float alpha;
  int64_t lanes;
};

// 2 x 2 outputs of each tile from its 16 products: A^T m A. Returns zero, or NaN in lanes where an output is not finite.
static vfloat writeTiles(const ConvPlan& p, const WinogradPlan& w, const float* m, int64_t width, const Place& place, float* out) {
  const vfloat bias = place.bias ? loadPart(place.bias, place.lanes) : vfloat{};
  vfloat check = {};
  for (int64_t t = 0; t < place.tileRows; t++) {
    const int64_t oh = 2 * (place.tileRow0 + t);
    const bool below = oh + 1 < p.out[1];
    float* to = out + oh * p.outStride[1];
    for (int64_t i = 0; i < w.tileColumns; i++, m += width, to += 2 * p.outStride[2]) {
      vfloat top[4], bottom[4];
      for (int j = 0; j < 4; j++) {
        const float* q = m + j * w.outPosition;
        const vfloat x1 = load(q + 4 * w.outPosition), x2 = load(q + 8 * w.outPosition);
        top[j] = load(q) + x1 + x2;
        bottom[j] = x1 - x2 - load(q + 12 * w.outPosition);
      }
      vfloat y[4] = {top[0] + top[1] + top[2] + bias, top[1] - top[2] - top[3] + bias, bottom[0] + bottom[1] + bottom[2] + bias,
                     bottom[1] - bottom[2] - bottom[3] + bias};
      for (int k = 0; k < 4; k++) {
        check += y[k] * vfloat{};
        y[k] = activate(y[k], place.activation, place.alpha);
      }
      const bool right = 2 * i + 1 < p.out[2];
      storePart(to, y[0], place.lanes);
      if (right) storePart(to + p.outStride[2], y[1], place.lanes);
      if (below) storePart(to + p.outStride[1], y[2], place.lanes);
      if (below && right) storePart(to + p.outStride[1] + p.outStride[2], y[3], place.lanes);
    }
  }
  return check;
}

static bool isZero(vfloat x) {
  bool zero = true;
  for (int i = 0; i < VL; i++) zero = zero && x[i] == 0;
  return zero;
}

static size_t inputSize(const WinogradPlan& w) { return static_cast<size_t>(w.slots) * kPositions * w.inPosition; }

static size_t scratchSize(const ConvPlan&, const WinogradPlan& w) { return inputSize(w) + static_cast<size_t>(kPositions) * w.outPosition; }

static bool run(const ConvPlan& p, const WinogradPlan& w, const float* in, const float* packed, const float* bias, int activation, float alpha, float* out,
                float* scratch, size_t begin, size_t end) {
  const int64_t sample = p.in[0] * p.in[1] * p.in[2] * p.ci;
  const float* inEnd = in + p.batch * sample;
  float* products = scratch + inputSize(w);
  int64_t shift[kMostTiles + 4], to[2][kMostTiles + 4];
  for (int64_t i = 0; i < w.tiles; i++) {
    shift[i] = i * w.ciStride;
    to[0][i] = i * VL;
    to[1][i] = i * 2 * VL;
  }
  vfloat check = {};
  Planes planes;
  for (size_t item = begin; item < end; item++) {
    const auto [n, first, last, row0, rows] = pieceOf(w, p.out[0], w.tileRows, w.blockRows, item);
    const int64_t tileCount = roundUp(rows * w.tileColumns, 4);
    openPlanes(planes, w, scratch, rows);
    for (int64_t od = first; od < last; od += w.group) {
      const int64_t group = least(w.group, last - od);
      movePlanes(planes, p, w, in + n * sample, inEnd, scratch, od, group, row0, rows);
      for (int64_t c = 0; c < p.co; c += 2 * VL) {
        const bool two = p.co - c > VL;
        const int64_t width = two ? 2 * VL : VL;
        const Epilogue e = {nullptr, kLinear, 0, true, true, width};
        for (int k = 0; k < kPositions; k++) {
          for (int64_t j = 0; j < group; j++) {
            const float* runs[64];
            int count = 0, skipped = 0;
            for (int t = 0; t < p.taps[0]; t++) {
              const int s = planes.slot[j][t];
              if (s >= 0) runs[count++] = scratch + (s * kPositions + k) * w.inPosition;
              else if (count == 0) skipped++;
            }
            const float* weights = packed + c * kPositions * p.taps[0] * p.ci + (k * p.taps[0] + skipped) * p.ci * width;
            float* product = products + k * w.outPosition + j * w.tiles * width;
            if (two) tiles<2>(runs, count, p.ci, shift, to[1], tileCount, weights, product, e);
            else tiles<1>(runs, count, p.ci, shift, to[0], tileCount, weights, product, e);
          }
        }
        for (int64_t j = 0; j < group; j++) {
          float* plane = out + n * p.outBatch + (od + j) * p.outStride[0];
          for (int64_t i = 0; i < width; i += VL) {
            const Place place = {row0, rows, bias ? bias + c + i : nullptr, activation, alpha, p.co - c - i};
            check += writeTiles(p, w, products + j * w.tiles * width + i, width, place, plane + c + i);
          }
        }
      }
    }
  }
  return isZero(check);
}

// ---- filter gradient ------------------------------------------------------------------------------------------------------------------------

static size_t filterScratchSize(const ConvPlan&, const WinogradPlan& w) {
  return inputSize(w) + static_cast<size_t>(w.group) * kPositions * (w.tiles * w.coStride + 16);
}

// A g A^T of the 2 x 2 output gradients of each tile, to m[position][tile][channel].
static void transformGradient(const ConvPlan& p, const WinogradPlan& w, const float* dy, const float* end, int64_t row0, int64_t rows, float* m) {
  const int64_t position = w.tiles * w.coStride + 16;
  for (int64_t c = 0; c < p.co; c += VL) {
    const int64_t lanes = p.co - c;
    float* to = m + c;
    for (int64_t t = row0; t < row0 + rows; t++) {
      const bool below = 2 * t + 1 < p.out[1];
      const float* from = dy + 2 * t * p.outStride[1] + c;
      for (int64_t i = 0; i < w.tileColumns; i++, from += 2 * p.outStride[2], to += w.coStride) {
        const bool right = 2 * i + 1 < p.out[2];
        const vfloat y00 = loadInside<false>(from, end, lanes);
        const vfloat y01 = right ? loadInside<false>(from + p.outStride[2], end, lanes) : vfloat{};
        const vfloat y10 = below ? loadInside<false>(from + p.outStride[1], end, lanes) : vfloat{};
        const vfloat y11 = below && right ? loadInside<false>(from + p.outStride[1] + p.outStride[2], end, lanes) : vfloat{};
        const vfloat left[4] = {y00, y00 + y10, y00 - y10, vfloat{} - y10};
        const vfloat other[4] = {y01, y01 + y11, y01 - y11, vfloat{} - y11};
        for (int r = 0; r < 4; r++) {
          float* q = to + 4 * r * position;
          store(q, left[r]);
          store(q + position, left[r] + other[r]);
          store(q + 2 * position, left[r] - other[r]);
          store(q + 3 * position, vfloat{} - other[r]);
        }
      }
    }
  }
}

static void filter(const ConvPlan& p, const WinogradPlan& w, const float* in, const float* dy, float* sums, float* scratch, size_t begin, size_t end) {
  const int64_t sample = p.in[0] * p.in[1] * p.in[2] * p.ci;
  const float* inEnd = in + p.batch * sample;
  const float* dyEnd = dy + p.batch * p.outBatch;
  const int64_t position = w.tiles * w.coStride + 16;
  float* gradients = scratch + inputSize(w);
  Planes planes;
  for (size_t item = begin; item < end; item++) {
    const auto [n, first, last, row0, rows] = pieceOf(w, p.out[0], w.tileRows, w.blockRows, item);
    const int64_t tileCount = rows * w.tileColumns;
    openPlanes(planes, w, scratch, rows);
    for (int64_t od = first; od < last; od += w.group) {
      const int64_t group = least(w.group, last - od);
      movePlanes(planes, p, w, in + n * sample, inEnd, scratch, od, group, row0, rows);
      for (int64_t j = 0; j < group; j++) {
        transformGradient(p, w, dy + n * p.outBatch + (od + j) * p.outStride[0], dyEnd, row0, rows, gradients + j * kPositions * position);
      }
      for (int k = 0; k < kPositions; k++) {
        for (int t = 0; t < p.taps[0]; t++) {
          float* to = sums + (k * p.taps[0] + t) * w.ciStride * w.coStride;
          for (int64_t c = 0; c < p.co; c += 2 * VL) {
            for (int64_t j = 0; j < group; j++) {
              const int s = planes.slot[j][t];
              if (s < 0) continue;
              const float* x = scratch + (s * kPositions + k) * w.inPosition;
              const float* g = gradients + (j * kPositions + k) * position + c;
              if (p.co - c > VL) filterRun<2>(x, 0, w.ciStride, g, 0, w.coStride, 1, tileCount, to + c, w.coStride, p.ci);
              else filterRun<1>(x, 0, w.ciStride, g, 0, w.coStride, 1, tileCount, to + c, w.coStride, p.ci);
            }
          }
        }
      }
    }
  }
}

// G^T u: four sums to three taps.
static inline void tapsOf(const vfloat* u, vfloat* g) {
  const vfloat half = splat(0.5f), plus = (u[1] + u[2]) * half, minus = (u[1] - u[2]) * half;
  g[0] = u[0] + plus;
  g[1] = minus;
  g[2] = plus + u[3];
}

static bool finishFilter(const ConvPlan& p, const WinogradPlan& w, const float* sums, int64_t size, int parts, float* dw, size_t begin, size_t end) {
  const int64_t position = p.taps[0] * w.ciStride * w.coStride;
  vfloat check = {};
  for (size_t item = begin; item < end; item++) {
    const int64_t d = item / p.ci, k = item % p.ci;
    const float* from = sums + (d * w.ciStride + k) * w.coStride;
    float* to = dw + (d * 9 * p.ci + k) * p.co;
    for (int64_t c = 0; c < p.co; c += VL) {
      const int64_t lanes = p.co - c;
      vfloat columns[3][4];
      for (int j = 0; j < 4; j++) {
        vfloat u[4], g[3];
        for (int r = 0; r < 4; r++) {
          const float* q = from + (4 * r + j) * position + c;
          u[r] = load(q);
          for (int part = 1; part < parts; part++) u[r] += load(q + part * size);
        }
        tapsOf(u, g);
        for (int h = 0; h < 3; h++) columns[h][j] = g[h];
      }
      for (int h = 0; h < 3; h++) {
        vfloat g[3];
        tapsOf(columns[h], g);
        for (int t = 0; t < 3; t++) {
          float* at = to + (3 * h + t) * p.ci * p.co + c;
          storePart(at, g[t], lanes);
          check += loadPart(at, lanes) * vfloat{};
        }
      }
    }
  }
  return isZero(check);
}

const WinogradTable& winogradTable() {
  static const WinogradTable table = {plan, packedSize, packBlocks, pack, scratchSize, run, filterScratchSize, filter, finishFilter};
  return table;
}

}  // namespace VOX_NS
