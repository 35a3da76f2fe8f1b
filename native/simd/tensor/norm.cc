#include "norm.h"

#include <cstring>

#include "conv.h"
#include "math.h"
#include "simd/vector.h"

namespace VOX_NS {

constexpr int VL = kFloats;

static int64_t period(int64_t channels) {
  int64_t p = channels;
  while (p % VL) p += channels;
  // Four independent vectors hide the latency of sums.
  const int64_t base = p;
  while (p < 4 * VL) p += base;
  return p;
}

// Folds a period's sums onto its channels.
static void fold(const float* work, int64_t p, int64_t channels, float* to) {
  for (int64_t c = 0; c < channels; c++) {
    float sum = 0;
    for (int64_t i = c; i < p; i += channels) sum += work[i];
    to[c] = sum;
  }
}

static void moments(const float* x, int64_t rows, int64_t channels, float* mean, float* deviation, float* work) {
  const int64_t p = period(channels);
  const int64_t count = rows * channels;
  memset(work, 0, p * sizeof(float));
  int64_t i = 0;
  for (; i + p <= count; i += p)
    for (int64_t k = 0; k < p; k += VL) store(work + k, load(work + k) + load(x + i + k));
  for (int64_t k = 0; i + k < count; k++) work[k] += x[i + k];
  fold(work, p, channels, mean);
  float* center = work + p;
  for (int64_t c = 0; c < channels; c++) mean[c] /= static_cast<float>(rows);
  for (int64_t k = 0; k < p; k++) center[k] = mean[k % channels];
  memset(work, 0, p * sizeof(float));
  for (i = 0; i + p <= count; i += p) {
    for (int64_t k = 0; k < p; k += VL) {
      const vfloat d = load(x + i + k) - load(center + k);
      store(work + k, load(work + k) + d * d);
    }
  }
  for (int64_t k = 0; i + k < count; k++) {
    const float d = x[i + k] - center[k];
    work[k] += d * d;
  }
  fold(work, p, channels, deviation);
}

template <int A>
static inline vfloat act(vfloat x, float alpha) {
  if (A == kRelu) return x > vfloat{} ? x : (x == x ? vfloat{} : x);
  if (A == kLeakyRelu) return x > vfloat{} ? x : x * alpha;
  return x;
}
template <int A>
static inline vfloat slope(vfloat g, vfloat x, float alpha) {
  if (A == kRelu) return x > vfloat{} ? g : vfloat{};
  if (A == kLeakyRelu) return x > vfloat{} ? g : g * alpha;
  return g;
}

// body(element, place in the period, elements of the vector that exist)
template <class Body>
static inline __attribute__((always_inline)) void forPeriods(int64_t count, int64_t p, const Body& body) {
  int64_t i = 0;
  for (; i + p <= count; i += p)
    for (int64_t k = 0; k < p; k += VL) body(i + k, k, static_cast<int64_t>(VL));
  for (int64_t k = 0; i + k < count; k += VL) body(i + k, k, count - i - k < VL ? count - i - k : static_cast<int64_t>(VL));
}

template <int A>
static void applyOf(const float* x, float* y, int64_t count, int64_t p, const float* scale, const float* shift, float alpha) {
  forPeriods(count, p, [&](int64_t i, int64_t k, int64_t n) { storePart(y + i, act<A>(loadPart(x + i, n) * load(scale + k) + load(shift + k), alpha), n); });
}
static void apply(const float* x, float* y, int64_t count, int64_t p, const float* scale, const float* shift, int activation, float alpha) {
  if (activation == kRelu) return applyOf<kRelu>(x, y, count, p, scale, shift, alpha);
  if (activation == kLeakyRelu) return applyOf<kLeakyRelu>(x, y, count, p, scale, shift, alpha);
  applyOf<kLinear>(x, y, count, p, scale, shift, alpha);
}

template <int A>
static void gradSumsOf(const float* x, const float* dy, int64_t rows, int64_t channels, const float* scale, const float* shift, float alpha, float* sum,
                       float* product, float* work) {
  const int64_t p = period(channels);
  float* other = work + p;
  memset(work, 0, 2 * p * sizeof(float));
  forPeriods(rows * channels, p, [&](int64_t i, int64_t k, int64_t n) {
    const vfloat v = loadPart(x + i, n);
    const vfloat g = slope<A>(loadPart(dy + i, n), v * load(scale + k) + load(shift + k), alpha);
    store(work + k, load(work + k) + g);
    store(other + k, load(other + k) + g * v);
  });
  fold(work, p, channels, sum);
  fold(other, p, channels, product);
}
static void gradSums(const float* x, const float* dy, int64_t rows, int64_t channels, const float* scale, const float* shift, int activation, float alpha,
                     float* sum, float* product, float* work) {
  if (activation == kRelu) return gradSumsOf<kRelu>(x, dy, rows, channels, scale, shift, alpha, sum, product, work);
  if (activation == kLeakyRelu) return gradSumsOf<kLeakyRelu>(x, dy, rows, channels, scale, shift, alpha, sum, product, work);
  gradSumsOf<kLinear>(x, dy, rows, channels, scale, shift, alpha, sum, product, work);
}

template <int A>
static void gradApplyOf(const float* x, const float* dy, float* dx, int64_t count, int64_t p, const float* scale, const float* shift, const float* k1,
                        const float* k2, const float* k3, float alpha) {
  forPeriods(count, p, [&](int64_t i, int64_t k, int64_t n) {
    const vfloat v = loadPart(x + i, n);
    const vfloat g = slope<A>(loadPart(dy + i, n), v * load(scale + k) + load(shift + k), alpha);
    storePart(dx + i, g * load(k1 + k) + v * load(k2 + k) + load(k3 + k), n);
  });
}
static void gradApply(const float* x, const float* dy, float* dx, int64_t count, int64_t p, const float* scale, const float* shift, const float* k1,
                      const float* k2, const float* k3, int activation, float alpha) {
  if (activation == kRelu) return gradApplyOf<kRelu>(x, dy, dx, count, p, scale, shift, k1, k2, k3, alpha);
  if (activation == kLeakyRelu) return gradApplyOf<kLeakyRelu>(x, dy, dx, count, p, scale, shift, k1, k2, k3, alpha);
  gradApplyOf<kLinear>(x, dy, dx, count, p, scale, shift, k1, k2, k3, alpha);
}

template <int A, bool WRITES>
static void biasGradOf(const float* dy, const float* y, float* g, int64_t rows, int64_t channels, float alpha, float* sum, float* work) {
  const int64_t p = period(channels);
  memset(work, 0, p * sizeof(float));
  forPeriods(rows * channels, p, [&](int64_t i, int64_t k, int64_t n) {
    vfloat v = loadPart(dy + i, n);
    if (A != kLinear) v = slope<A>(v, loadPart(y + i, n), alpha);
    if (WRITES) storePart(g + i, v, n);
    store(work + k, load(work + k) + v);
  });
  fold(work, p, channels, sum);
}
static void biasGrad(const float* dy, const float* y, float* g, int64_t rows, int64_t channels, int activation, float alpha, float* sum, float* work) {
  if (activation == kRelu) return biasGradOf<kRelu, true>(dy, y, g, rows, channels, alpha, sum, work);
  if (activation == kLeakyRelu) return biasGradOf<kLeakyRelu, true>(dy, y, g, rows, channels, alpha, sum, work);
  biasGradOf<kLinear, false>(dy, y, g, rows, channels, alpha, sum, work);
}

const NormTable& normTable() {
  static const NormTable table = {period, moments, apply, gradSums, gradApply, biasGrad};
  return table;
}

}  // namespace VOX_NS
