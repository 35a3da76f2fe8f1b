#include "conv.h"

#include <cstring>

#include "vector.h"

namespace VOX_NS {

constexpr int VL = kFloats;
// Voxels of a register tile: with two vectors of channels the sums, the weights and one splat fill the register file.
#if VOX_VECTOR_BYTES == 64
constexpr int kTile = 8;
#elif VOX_VECTOR_BYTES == 32
constexpr int kTile = 4;
#elif defined(__aarch64__)
constexpr int kTile = 8;
#else
constexpr int kTile = 4;
#endif
constexpr int kMaxRuns = 4096;
constexpr int64_t kVoxels = 2048;  // of a block, whose places are listed at once

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t roundUp(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

static inline vfloat activate(vfloat x, int activation, float alpha) {
  if (activation == kRelu) return x > vfloat{} ? x : (x == x ? vfloat{} : x);
  if (activation == kLeakyRelu) return x > vfloat{} ? x : x * splat(alpha);
  return x;
}

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
  // Nearly equal blocks.
  p.rowBlocks = (p.out[1] + p.rows - 1) / p.rows;
  p.rows = (p.out[1] + p.rowBlocks - 1) / p.rowBlocks;
  p.rowBlocks = (p.out[1] + p.rows - 1) / p.rows;
  const int64_t items = p.batch * p.rowBlocks;
  int64_t split = 1;
  // Enough pieces that threads even out when others use their cores too, but not so thin that copying the border planes shows.
  while (items * split < 2 * threads && split * 2 <= p.out[0]) split *= 2;
  while (threads > 1 && items * split < 8 * threads && p.out[0] / (split * 2) >= 4 * p.taps[0]) split *= 2;
  p.planes = (p.out[0] + split - 1) / split;
  p.planeBlocks = (p.out[0] + p.planes - 1) / p.planes;
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

struct Epilogue {
  const float* bias;  // of the block's first channel, or null
  int activation;
  float alpha;
  bool first, last;   // pass over the input channels
  int64_t lanes;      // channels of the block that exist
};

static inline vfloat loadPart(const float* p, int64_t count) {
  if (count >= VL) return load(p);
  float v[VL] = {};
  for (int64_t i = 0; i < count; i++) v[i] = p[i];
  return load(v);
}

static inline void storePart(float* p, vfloat x, int64_t count) {
  if (count >= VL) return store(p, x);
  float v[VL];
  store(v, x);
  for (int64_t i = 0; i < count; i++) p[i] = v[i];
}

// MB voxels times NB vectors of channels. Voxel m reads at run + shift[m] and is written at out + to[m].
template <int MB, int NB>
static inline __attribute__((always_inline)) void tile(const float* const* runs, int count, int64_t length, const int64_t* shift, const float* w, float* out,
                                                       const int64_t* to, const Epilogue& e) {
  vfloat a[MB][NB];
  if (e.first) {
    for (int n = 0; n < NB; n++) {
      const vfloat b = e.bias ? loadPart(e.bias + n * VL, e.lanes - n * VL) : vfloat{};
      for (int m = 0; m < MB; m++) a[m][n] = b;
    }
  } else {
    for (int m = 0; m < MB; m++)
      for (int n = 0; n < NB; n++) a[m][n] = loadPart(out + to[m] + n * VL, e.lanes - n * VL);
  }
  for (int r = 0; r < count; r++) {
    const float* p[MB];
#pragma GCC unroll 16
    for (int m = 0; m < MB; m++) p[m] = runs[r] + shift[m];
#pragma GCC unroll 1
    for (int64_t k = 0; k < length; k++) {
      vfloat b[NB];
#pragma GCC unroll 4
      for (int n = 0; n < NB; n++) b[n] = load(w + n * VL);
#pragma GCC unroll 16
      for (int m = 0; m < MB; m++) {
        const vfloat x = splat(p[m][k]);
#pragma GCC unroll 4
        for (int n = 0; n < NB; n++) a[m][n] += x * b[n];
      }
      w += NB * VL;
    }
  }
  for (int m = 0; m < MB; m++) {
    for (int n = 0; n < NB; n++) {
      const vfloat y = e.last ? activate(a[m][n], e.activation, e.alpha) : a[m][n];
      storePart(out + to[m] + n * VL, y, e.lanes - n * VL);
    }
  }
}

// 16 voxels of one row times one vector of channels: with so few channels eight voxels would leave the pipeline waiting for its sums. Four pointers and
// one stride reach all of them.
template <int LENGTH>
static inline __attribute__((always_inline)) void rowTile(const float* const* runs, int count, int64_t length, int64_t shift, int64_t stride, const float* w,
                                                          float* out, const int64_t* to, const Epilogue& e) {
  vfloat a[16];
  if (e.first) {
    const vfloat b = e.bias ? loadPart(e.bias, e.lanes) : vfloat{};
    for (int m = 0; m < 16; m++) a[m] = b;
  } else {
    for (int m = 0; m < 16; m++) a[m] = loadPart(out + to[m], e.lanes);
  }
  for (int r = 0; r < count; r++) {
    const float* p[4];
    for (int j = 0; j < 4; j++) p[j] = runs[r] + shift + 4 * j * stride;
    const auto step = [&] {
      const vfloat b = load(w);
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) {
        a[4 * j] += splat(p[j][0]) * b;
        a[4 * j + 1] += splat(p[j][stride]) * b;
        a[4 * j + 2] += splat(p[j][2 * stride]) * b;
        a[4 * j + 3] += splat(p[j][3 * stride]) * b;
        p[j]++;
      }
      w += VL;
    };
    if (LENGTH > 0) {
#pragma GCC unroll 4
      for (int k = 0; k < LENGTH; k++) step();
    } else {
#pragma GCC unroll 1
      for (int64_t k = 0; k < length; k++) step();
    }
  }
  for (int m = 0; m < 16; m++) storePart(out + to[m], e.last ? activate(a[m], e.activation, e.alpha) : a[m], e.lanes);
}

template <int NB>
static void tiles(const float* const* runs, int count, int64_t length, const int64_t* shift, const int64_t* to, int64_t voxels, const float* w, float* out,
                  const Epilogue& e) {
  int64_t i = 0;
  if (NB == 1 && kTile == 8) {
    while (i + kTile <= voxels) {
      const int64_t stride = shift[i + 1] - shift[i];
      if (i + 16 <= voxels && shift[i + 15] - shift[i] == 15 * stride) {
        if (length == 3) rowTile<3>(runs, count, length, shift[i], stride, w, out, to + i, e);
        else rowTile<0>(runs, count, length, shift[i], stride, w, out, to + i, e);
        i += 16;
      } else {
        tile<kTile, NB>(runs, count, length, shift + i, w, out, to + i, e);
        i += kTile;
      }
    }
  }
  for (; i + kTile <= voxels; i += kTile) tile<kTile, NB>(runs, count, length, shift + i, w, out, to + i, e);
  if (kTile > 4) {
    for (; i + 4 <= voxels; i += 4) tile<4, NB>(runs, count, length, shift + i, w, out, to + i, e);
  }
  for (; i < voxels; i++) tile<1, NB>(runs, count, length, shift + i, w, out, to + i, e);
}

static inline float sumLanes(vfloat x) {
  float s[VL];
  store(s, x);
  for (int half = VL / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) s[i] += s[i + half];
  return s[0];
}

static inline float activateOne(float x, int activation, float alpha) {
  if (activation == kRelu) return x > 0 ? x : (x == x ? 0.f : x);
  if (activation == kLeakyRelu) return x > 0 ? x : x * alpha;
  return x;
}

// MB voxels, one output channel: lanes run along the input's channels.
template <int MB>
static inline __attribute__((always_inline)) void narrowTile(const float* const* runs, int count, int64_t length, const int64_t* shift, const float* w,
                                                             float bias, float* out, const int64_t* to, const Epilogue& e) {
  vfloat a[MB] = {};
  for (int r = 0; r < count; r++) {
    const float* p[MB];
#pragma GCC unroll 8
    for (int m = 0; m < MB; m++) p[m] = runs[r] + shift[m];
#pragma GCC unroll 1
    for (int64_t k = 0; k < length; k += VL) {
      const vfloat b = load(w + k);
#pragma GCC unroll 8
      for (int m = 0; m < MB; m++) a[m] += load(p[m] + k) * b;
    }
    w += length;
  }
  for (int m = 0; m < MB; m++) out[to[m]] = activateOne(sumLanes(a[m]) + bias, e.activation, e.alpha);
}

static void narrowTiles(const float* const* runs, int count, int64_t length, const int64_t* shift, const int64_t* to, int64_t voxels, const float* w,
                        float bias, float* out, const Epilogue& e) {
  int64_t i = 0;
  for (; i + 8 <= voxels; i += 8) narrowTile<8>(runs, count, length, shift + i, w, bias, out, to + i, e);
  for (; i < voxels; i++) narrowTile<1>(runs, count, length, shift + i, w, bias, out, to + i, e);
}

static void run(const ConvPlan& p, const float* in, const float* packed, const float* bias, int activation, float alpha, float* out, float* scratch,
                size_t begin, size_t end) {
  const int64_t sample = p.in[0] * p.in[1] * p.in[2] * p.ci;
  const int taps = p.taps[0] * p.taps[1] * p.taps[2];
  int64_t shift[kVoxels], to[kVoxels];
  const float* runs[kMaxRuns];
  const bool narrow = isNarrow(p);
  for (size_t item = begin; item < end; item++) {
    const int64_t n = item / (p.planeBlocks * p.rowBlocks);
    const int64_t planeBlock = item / p.rowBlocks % p.planeBlocks;
    const int64_t row0 = item % p.rowBlocks * p.rows;
    const int64_t rows = least(p.rows, p.out[1] - row0);
    Window window;
    openWindow(window, p, in + n * sample, scratch, row0, rows);
    const int64_t lastPlane = least(p.out[0], (planeBlock + 1) * p.planes);
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
    for (int64_t od = planeBlock * p.planes; od < lastPlane; od++) {
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

// MB rows of the gradient (tap and input channel) times NB vectors of output channels, summed over the voxels of a block.
template <int MB, int NB>
static inline __attribute__((always_inline)) void filterTile(const float* x, int64_t xRow, int64_t xVoxel, const float* g, int64_t gRow, int64_t gVoxel,
                                                             int64_t rows, int64_t width, float* sums, int64_t stride) {
  vfloat a[MB][NB];
  for (int m = 0; m < MB; m++)
    for (int n = 0; n < NB; n++) a[m][n] = load(sums + m * stride + n * VL);
  for (int64_t r = 0; r < rows; r++) {
    const float* p = x + r * xRow;
    const float* q = g + r * gRow;
#pragma GCC unroll 1
    for (int64_t i = 0; i < width; i++) {
      vfloat b[NB];
#pragma GCC unroll 4
      for (int n = 0; n < NB; n++) b[n] = load(q + n * VL);
#pragma GCC unroll 16
      for (int m = 0; m < MB; m++) {
        const vfloat s = splat(p[m]);
#pragma GCC unroll 4
        for (int n = 0; n < NB; n++) a[m][n] += s * b[n];
      }
      p += xVoxel;
      q += gVoxel;
    }
  }
  for (int m = 0; m < MB; m++)
    for (int n = 0; n < NB; n++) store(sums + m * stride + n * VL, a[m][n]);
}

// The same for R rows of taps whose runs have only M elements each, as with one input channel: together they fill the pipeline.
template <int R, int M>
static inline __attribute__((always_inline)) void shortTile(const float* const* x, int64_t xRow, int64_t xVoxel, const float* g, int64_t gRow, int64_t gVoxel,
                                                            int64_t rows, int64_t width, float* sums, int64_t stride) {
  vfloat a[R][M];
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) a[r][m] = load(sums + (r * M + m) * stride);
  for (int64_t h = 0; h < rows; h++) {
    const float* p[R];
    for (int r = 0; r < R; r++) p[r] = x[r] + h * xRow;
    const float* q = g + h * gRow;
#pragma GCC unroll 1
    for (int64_t i = 0; i < width; i++) {
      const vfloat b = load(q);
#pragma GCC unroll 4
      for (int r = 0; r < R; r++) {
#pragma GCC unroll 4
        for (int m = 0; m < M; m++) a[r][m] += splat(p[r][m]) * b;
        p[r] += xVoxel;
      }
      q += gVoxel;
    }
  }
  for (int r = 0; r < R; r++)
    for (int m = 0; m < M; m++) store(sums + (r * M + m) * stride, a[r][m]);
}

template <int NB>
static void filterRun(const float* x, int64_t xRow, int64_t xVoxel, const float* g, int64_t gRow, int64_t gVoxel, int64_t rows, int64_t width, float* sums,
                      int64_t stride, int64_t length) {
  int64_t i = 0;
  // With one vector of channels a longer tile is what hides the latency of its sums.
  if (NB == 1 && kTile == 8) {
    for (; i + 16 <= length; i += 16) filterTile<16, 1>(x + i, xRow, xVoxel, g, gRow, gVoxel, rows, width, sums + i * stride, stride);
  }
  for (; i + kTile <= length; i += kTile) filterTile<kTile, NB>(x + i, xRow, xVoxel, g, gRow, gVoxel, rows, width, sums + i * stride, stride);
  if (kTile > 4) {
    for (; i + 4 <= length; i += 4) filterTile<4, NB>(x + i, xRow, xVoxel, g, gRow, gVoxel, rows, width, sums + i * stride, stride);
  }
  for (; i + 3 <= length; i += 3) filterTile<3, NB>(x + i, xRow, xVoxel, g, gRow, gVoxel, rows, width, sums + i * stride, stride);
  for (; i < length; i++) filterTile<1, NB>(x + i, xRow, xVoxel, g, gRow, gVoxel, rows, width, sums + i * stride, stride);
}

static size_t filterScratchSize(const ConvPlan& p) {
  return scratchSize(p) + (p.co % VL ? static_cast<size_t>(p.rows) * p.out[2] * roundUp(p.co, VL) : 0);
}

static void filter(const ConvPlan& p, const float* in, const float* dy, float* sums, float* scratch, size_t begin, size_t end) {
  const int64_t sample = p.in[0] * p.in[1] * p.in[2] * p.ci;
  const int64_t stride = roundUp(p.co, VL);
  const bool ragged = p.co % VL != 0;
  float* paddedDy = scratch + scratchSize(p);
  for (size_t item = begin; item < end; item++) {
    const int64_t n = item / (p.planeBlocks * p.rowBlocks);
    const int64_t planeBlock = item / p.rowBlocks % p.planeBlocks;
    const int64_t row0 = item % p.rowBlocks * p.rows;
    const int64_t rows = least(p.rows, p.out[1] - row0);
    Window window;
    openWindow(window, p, in + n * sample, scratch, row0, rows);
    const int64_t lastPlane = least(p.out[0], (planeBlock + 1) * p.planes);
    for (int64_t od = planeBlock * p.planes; od < lastPlane; od++) {
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
