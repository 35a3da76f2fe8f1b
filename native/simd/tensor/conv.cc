#include "conv.h"

#include <cstring>

#include "conv-tile.h"

namespace VOX_NS {

constexpr int kMaxRuns = 4096;
constexpr int64_t kVoxels = 2048;  // of a block, whose places are listed at once

// ---- plan -----------------------------------------------------------------------------------------------------------------------------------

static void planBlocks(ConvPlan& p, int threads) {
  bool padded = false;
  for (int a = 0; a < 3; a++) {
    int64_t low = p.offset[a][0], high = p.offset[a][0];
    for (int t = 1; t < p.taps[a]; t++) {
      low = least(low, p.offset[a][t]);
      high = most(high, p.offset[a][t]);
    }
    p.low[a] = low;
    if (low < 0 || high + (p.out[a] - 1) * p.step[a] >= p.in[a]) padded = true;
    p.span[a] = high - low + 1;
  }
  p.padded = padded;
  p.merged = true;
  for (int t = 1; t < p.taps[2]; t++) p.merged = p.merged && p.offset[2][t] == p.offset[2][t - 1] + 1;
  const int64_t rowLength = ((p.out[2] - 1) * p.step[2] + p.span[2]) * p.ci;
  // The input rows of one block stay in the second-level cache: about 384 KB.
  const int64_t budget = 98304;
  int64_t rows = 16;
  while (rows > 1 && p.taps[0] * ((rows - 1) * p.step[1] + p.span[1]) * rowLength > budget) rows--;
  rows = least(rows, p.out[1]);
  // Few rows of a short width would leave the tiles with tails.
  p.rows = most(1, rows);
  equalBlocks(p.out[1], p.rows, p.rowBlocks);
  cutPlanes(p, p.rowBlocks, threads, p.planes, p.planeBlocks);
  const int64_t taps = static_cast<int64_t>(p.taps[0]) * p.taps[1] * p.taps[2];
  // Weights of one pass: at most 384 KB for two vectors of channels.
  p.chunk = p.ci;
  while (taps * p.chunk * 2 * VL > 98304 && p.chunk > 16) p.chunk = (p.chunk + 1) / 2;
}

static size_t packedSize(const ConvPlan& p) {
  return static_cast<size_t>(p.taps[0]) * p.taps[1] * p.taps[2] * p.ci * roundUp(p.co, VL);
}

// Few output channels leave most lanes of a vector empty; then the lanes run over input channels instead, where runs are whole vectors.
static bool isNarrow(const ConvPlan& p) {
  const int64_t length = p.merged ? p.taps[2] * p.ci : p.ci;
  const int64_t all = static_cast<int64_t>(p.taps[0]) * p.taps[1] * p.taps[2] * p.ci;
  return p.co <= 2 && length % VL == 0 && all >= 128 && p.chunk == p.ci;
}

static int64_t packBlocks(const ConvPlan& p) { return isNarrow(p) ? 1 : (p.co + 2 * VL - 1) / (2 * VL); }

// [co block of 2 vectors][chunk of ci][tap][ci][lanes of the block]; narrow: [co][tap][ci].
static void pack(const ConvPlan& p, const float* w, const int64_t* tapIndex, int64_t tapSize, int64_t strideIn, int64_t strideOut, float* packed,
                 size_t begin, size_t end) {
  const int taps = p.taps[0] * p.taps[1] * p.taps[2];
  if (isNarrow(p)) {
    for (int64_t c = 0; c < p.co; c++)
      for (int t = 0; t < taps; t++)
        for (int64_t k = 0; k < p.ci; k++) *packed++ = w[tapIndex[t] * tapSize + k * strideIn + c * strideOut];
    return;
  }
  for (size_t block = begin; block < end; block++) {
    const int64_t c = block * 2 * VL;
    const int64_t width = p.co - c > VL ? 2 * VL : VL;
    const int64_t filled = least(width, p.co - c);
    float* to = packed + c * taps * p.ci;
    for (int64_t k0 = 0; k0 < p.ci; k0 += p.chunk) {
      const int64_t count = least(p.chunk, p.ci - k0);
      for (int t = 0; t < taps; t++, to += count * width) {
        const float* from = w + tapIndex[t] * tapSize + c * strideOut + k0 * strideIn;
        if (strideIn == 1) {
          // Read along the source's rows; the scattered writes stay in the first-level cache.
          for (int64_t i = 0; i < filled; i++)
            for (int64_t k = 0; k < count; k++) to[k * width + i] = from[i * strideOut + k];
        } else {
          for (int64_t k = 0; k < count; k++)
            for (int64_t i = 0; i < filled; i++) to[k * width + i] = from[k * strideIn + i * strideOut];
        }
        if (filled < width) {
          for (int64_t k = 0; k < count; k++)
            for (int64_t i = filled; i < width; i++) to[k * width + i] = 0;
        }
      }
    }
  }
}

// ---- input rows of a block ------------------------------------------------------------------------------------------------------------------

// Planes that a block reads, copied with a zero border; a plane is kept while the block moves along depth.
struct Window {
  const ConvPlan* plan;
  const float* in;       // of the sample
  float* scratch;
  int64_t row0;          // first output row of the block
  int64_t rowLength;     // elements of a row as the tiles see it
  int64_t planeRows, planeLength;
  int64_t held[64];      // input plane in each slot
  const float* plane[64];  // per tap along depth: pointer such that (0, 0) is row0's first row, voxel 0
};

static void openWindow(Window& v, const ConvPlan& p, const float* in, float* scratch, int64_t row0, int64_t rows) {
  v.plan = &p;
  v.in = in;
  v.scratch = scratch;
  v.row0 = row0;
  if (p.padded) {
    v.rowLength = ((p.out[2] - 1) * p.step[2] + p.span[2]) * p.ci;
    v.planeRows = (rows - 1) * p.step[1] + p.span[1];
  } else {
    v.rowLength = p.in[2] * p.ci;
    v.planeRows = 0;
  }
  v.planeLength = ((p.rows - 1) * p.step[1] + p.span[1]) * v.rowLength;
  for (int t = 0; t < p.taps[0]; t++) v.held[t] = INT64_MIN;
}

static void copyPlane(const Window& v, int64_t id, float* to) {
  const ConvPlan& p = *v.plan;
  if (id < 0 || id >= p.in[0]) {
    memset(to, 0, sizeof(float) * v.planeRows * v.rowLength);
    return;
  }
  const int64_t first = p.low[2];  // input voxel that stands first in the row
  const int64_t count = v.rowLength / p.ci;
  const int64_t left = least(count, most(0, -first));
  const int64_t begin = most(0, first);
  const int64_t copied = most(0, least(count - left, p.in[2] - begin));
  const int64_t right = count - left - copied;
  for (int64_t r = 0; r < v.planeRows; r++, to += v.rowLength) {
    const int64_t ih = v.row0 * p.step[1] + p.low[1] + r;
    if (ih < 0 || ih >= p.in[1]) {
      memset(to, 0, sizeof(float) * v.rowLength);
      continue;
    }
    const float* from = v.in + ((id * p.in[1] + ih) * p.in[2] + begin) * p.ci;
    if (left) memset(to, 0, sizeof(float) * left * p.ci);
    memcpy(to + left * p.ci, from, sizeof(float) * copied * p.ci);
    if (right) memset(to + (left + copied) * p.ci, 0, sizeof(float) * right * p.ci);
  }
}

static void moveWindow(Window& v, int64_t od) {
  const ConvPlan& p = *v.plan;
  if (!p.padded) {
    for (int t = 0; t < p.taps[0]; t++) {
      const int64_t id = od * p.step[0] + p.offset[0][t];
      v.plane[t] = v.in + ((id * p.in[1] + v.row0 * p.step[1] + p.low[1]) * p.in[2] + p.low[2]) * p.ci;
    }
    return;
  }
  bool wanted[64] = {};
  int slotOf[64];
  for (int t = 0; t < p.taps[0]; t++) {
    const int64_t id = od * p.step[0] + p.offset[0][t];
    slotOf[t] = -1;
    for (int s = 0; s < p.taps[0]; s++) {
      if (v.held[s] == id) {
        slotOf[t] = s;
        wanted[s] = true;
      }
    }
  }
  for (int t = 0; t < p.taps[0]; t++) {
    if (slotOf[t] < 0) {
      int s = 0;
      while (wanted[s]) s++;
      const int64_t id = od * p.step[0] + p.offset[0][t];
      copyPlane(v, id, v.scratch + s * v.planeLength);
      v.held[s] = id;
      wanted[s] = true;
      slotOf[t] = s;
    }
    v.plane[t] = v.scratch + slotOf[t] * v.planeLength;
  }
}

static size_t scratchSize(const ConvPlan& p) {
  if (!p.padded) return 0;
  const int64_t rowLength = ((p.out[2] - 1) * p.step[2] + p.span[2]) * p.ci;
  return static_cast<size_t>(p.taps[0]) * ((p.rows - 1) * p.step[1] + p.span[1]) * rowLength;
}

// ---- forward --------------------------------------------------------------------------------------------------------------------------------

static void run(const ConvPlan& p, const float* in, const float* packed, const float* bias, int activation, float alpha, float* out, float* scratch,
                size_t begin, size_t end) {
  const int64_t sample = p.in[0] * p.in[1] * p.in[2] * p.ci;
  const int taps = p.taps[0] * p.taps[1] * p.taps[2];
  int64_t shift[kVoxels], to[kVoxels];
  const float* runs[kMaxRuns];
  const bool narrow = isNarrow(p);
  for (size_t item = begin; item < end; item++) {
    const auto [n, firstPlane, lastPlane, row0, rows] = pieceOf(p, p.out[0], p.out[1], p.rows, item);
    Window window;
    openWindow(window, p, in + n * sample, scratch, row0, rows);
    const int64_t voxels = rows * p.out[2];
    const auto list = [&](int64_t first, int64_t count) {
      int64_t oh = first / p.out[2], ow = first % p.out[2];
      for (int64_t i = 0; i < count; i++) {
        shift[i] = oh * p.step[1] * window.rowLength + ow * p.step[2] * p.ci;
        to[i] = oh * p.outStride[1] + ow * p.outStride[2];
        if (++ow == p.out[2]) {
          ow = 0;
          oh++;
        }
      }
    };
    if (voxels <= kVoxels) list(0, voxels);
    for (int64_t od = firstPlane; od < lastPlane; od++) {
      moveWindow(window, od);
      float* outPlane = out + n * p.outBatch + od * p.outStride[0] + row0 * p.outStride[1];
      for (int64_t c = 0; c < p.co; c += 2 * VL) {
        const int64_t width = p.co - c > VL ? 2 * VL : VL;
        const float* w = packed + c * taps * p.ci;
        for (int64_t k0 = 0; k0 < p.ci; k0 += p.chunk) {
          const int64_t channels = least(p.chunk, p.ci - k0);
          const bool merged = p.merged && channels == p.ci;
          int count = 0;
          for (int d = 0; d < p.taps[0]; d++) {
            for (int h = 0; h < p.taps[1]; h++) {
              const float* row = window.plane[d] + (p.offset[1][h] - p.low[1]) * window.rowLength + k0;
              for (int t = 0; t < (merged ? 1 : p.taps[2]); t++) runs[count++] = row + (p.offset[2][t] - p.low[2]) * p.ci;
            }
          }
          const int64_t length = merged ? p.taps[2] * p.ci : channels;
          const Epilogue e = {bias ? bias + c : nullptr, activation, alpha, k0 == 0, k0 + channels == p.ci, p.co - c};
          for (int64_t v = 0; v < voxels;) {
            const int64_t group = least(kVoxels, voxels - v);
            if (voxels > kVoxels) list(v, group);
            if (narrow) {
              for (int64_t k = 0; k < p.co; k++) {
                narrowTiles(runs, count, length, shift, to, group, packed + k * taps * p.ci, bias ? bias[k] : 0, outPlane + k, e);
              }
            } else if (width == 2 * VL) tiles<2>(runs, count, length, shift, to, group, w, outPlane + c, e);
            else tiles<1>(runs, count, length, shift, to, group, w, outPlane + c, e);
            v += group;
          }
          w += taps * channels * width;
        }
      }
    }
  }
}

// ---- filter gradient ------------------------------------------------------------------------------------------------------------------------

static size_t filterScratchSize(const ConvPlan& p) {
  return scratchSize(p) + (p.co % VL ? static_cast<size_t>(p.rows) * p.out[2] * roundUp(p.co, VL) : 0);
}

static void filter(const ConvPlan& p, const float* in, const float* dy, float* sums, float* scratch, size_t begin, size_t end) {
  const int64_t sample = p.in[0] * p.in[1] * p.in[2] * p.ci;
  const int64_t stride = roundUp(p.co, VL);
  const bool ragged = p.co % VL != 0;
  float* paddedDy = scratch + scratchSize(p);
  for (size_t item = begin; item < end; item++) {
    const auto [n, firstPlane, lastPlane, row0, rows] = pieceOf(p, p.out[0], p.out[1], p.rows, item);
    Window window;
    openWindow(window, p, in + n * sample, scratch, row0, rows);
    for (int64_t od = firstPlane; od < lastPlane; od++) {
      moveWindow(window, od);
      const float* g = dy + n * p.outBatch + od * p.outStride[0] + row0 * p.outStride[1];
      int64_t gRow = p.outStride[1], gVoxel = p.outStride[2];
      if (ragged) {
        for (int64_t r = 0; r < rows; r++) {
          for (int64_t i = 0; i < p.out[2]; i++) {
            float* to = paddedDy + (r * p.out[2] + i) * stride;
            const float* from = g + r * gRow + i * gVoxel;
            for (int64_t c = 0; c < p.co; c++) to[c] = from[c];
            for (int64_t c = p.co; c < stride; c++) to[c] = 0;
          }
        }
        g = paddedDy;
        gRow = p.out[2] * stride;
        gVoxel = stride;
      }
      const int64_t length = p.merged ? p.taps[2] * p.ci : p.ci;
      const int64_t xRow = p.step[1] * window.rowLength, xVoxel = p.step[2] * p.ci;
      // Voxels per pass over the taps: their gradients for two vectors of channels stay in the first-level cache.
      const int64_t group = most(1, 192 / p.out[2]);
      for (int64_t r0 = 0; r0 < rows; r0 += group) {
        const int64_t height = least(group, rows - r0);
        const float* gGroup = g + r0 * gRow;
        for (int64_t c = 0; c < p.co; c += 2 * VL) {
          const bool two = p.co - c > VL;
          float* to = sums + c;
          for (int d = 0; d < p.taps[0]; d++) {
            const float* plane = window.plane[d] + r0 * xRow;
            if (p.merged && length == 3 && p.taps[1] == 3 && !two) {
              const float* x[3];
              for (int h = 0; h < 3; h++) x[h] = plane + (p.offset[1][h] - p.low[1]) * window.rowLength;
              shortTile<3, 3>(x, xRow, xVoxel, gGroup + c, gRow, gVoxel, height, p.out[2], to, stride);
              to += 9 * stride;
              continue;
            }
            for (int h = 0; h < p.taps[1]; h++) {
              const float* row = plane + (p.offset[1][h] - p.low[1]) * window.rowLength;
              for (int t = 0; t < (p.merged ? 1 : p.taps[2]); t++) {
                const float* x = row + (p.offset[2][t] - p.low[2]) * p.ci;
                if (two) filterRun<2>(x, xRow, xVoxel, gGroup + c, gRow, gVoxel, height, p.out[2], to, stride, length);
                else filterRun<1>(x, xRow, xVoxel, gGroup + c, gRow, gVoxel, height, p.out[2], to, stride, length);
                to += length * stride;
              }
            }
          }
        }
      }
    }
  }
}

// to[i] = sum over parts of sums[part][i], for elements [begin, end) of rows of `co` out of `stride`.
static void addParts(const float* sums, int64_t size, int parts, int64_t stride, int64_t co, float* to, size_t begin, size_t end) {
  for (size_t k = begin; k < end; k++) {
    const float* from = sums + k * stride;
    for (int64_t c = 0; c < co; c++) {
      float sum = from[c];
      for (int part = 1; part < parts; part++) sum += from[part * size + c];
      to[k * co + c] = sum;
    }
  }
}

const ConvTable& convTable() {
  static const ConvTable table = {VL, planBlocks, packedSize, packBlocks, pack, scratchSize, run, filterScratchSize, filter, addParts};
  return table;
}

}  // namespace VOX_NS
