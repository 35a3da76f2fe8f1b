// Register tiles of convolutions: some voxels times one or two vectors of channels, summed over runs of neighboring inputs.
#pragma once

#include "conv-blocks.h"
#include "conv.h"
#include "simd/vector.h"

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

static inline vfloat activate(vfloat x, int activation, float alpha) {
  if (activation == kRelu) return x > vfloat{} ? x : (x == x ? vfloat{} : x);
  if (activation == kLeakyRelu) return x > vfloat{} ? x : x * splat(alpha);
  return x;
}

struct Epilogue {
  const float* bias;  // of the block's first channel, or null
  int activation;
  float alpha;
  bool first, last;   // pass over the input channels
  int64_t lanes;      // channels of the block that exist
};

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

}  // namespace VOX_NS
