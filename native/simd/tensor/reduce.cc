#include "reduce.h"

#include "math.h"
#include "simd/vector.h"

namespace VOX_NS {

constexpr int VL = kFloats;

static inline float start(int op) {
  return op == kMax ? -__builtin_inff() : op == kMin ? __builtin_inff() : op == kProd ? 1.f : 0.f;
}
template <int OP>
static inline float join(float a, float b) {
  if (OP == kSum) return a + b;
  if (OP == kProd) return a * b;
  // A NaN stays.
  if (OP == kMax) return b > a || b != b ? (a != a ? a : b) : a;
  return b < a || b != b ? (a != a ? a : b) : a;
}
template <int OP>
static inline vfloat joinVector(vfloat a, vfloat b) {
  if (OP == kSum) return a + b;
  if (OP == kProd) return a * b;
  if (OP == kMax) return a != a ? a : (b > a ? b : (b == b ? a : b));
  return a != a ? a : (b < a ? b : (b == b ? a : b));
}

template <int OP>
static void rowsOf(const float* x, int64_t inner, int64_t begin, int64_t end, float* to) {
  int64_t c = 0;
  // Four rows at a time when the vector of channels is short, to hide the latency of the sum.
  for (; c + VL <= inner; c += VL) {
    vfloat a0 = splat(start(OP)), a1 = a0, a2 = a0, a3 = a0;
    int64_t r = begin;
    for (; r + 4 <= end; r += 4) {
      const float* p = x + r * inner + c;
      a0 = joinVector<OP>(a0, load(p));
      a1 = joinVector<OP>(a1, load(p + inner));
      a2 = joinVector<OP>(a2, load(p + 2 * inner));
      a3 = joinVector<OP>(a3, load(p + 3 * inner));
    }
    for (; r < end; r++) a0 = joinVector<OP>(a0, load(x + r * inner + c));
    store(to + c, joinVector<OP>(joinVector<OP>(a0, a1), joinVector<OP>(a2, a3)));
  }
  for (; c < inner; c++) {
    float a = start(OP);
    for (int64_t r = begin; r < end; r++) a = join<OP>(a, x[r * inner + c]);
    to[c] = a;
  }
}

static void rows(int op, const float* x, int64_t inner, int64_t begin, int64_t end, float* to) {
  switch (op) {
    case kSum: return rowsOf<kSum>(x, inner, begin, end, to);
    case kMax: return rowsOf<kMax>(x, inner, begin, end, to);
    case kMin: return rowsOf<kMin>(x, inner, begin, end, to);
    case kProd: return rowsOf<kProd>(x, inner, begin, end, to);
  }
}

template <int OP>
static float lineOf(const float* p, int64_t count) {
  float total = start(OP);
  double sum = 0;
  for (int64_t block = 0; block < count; block += 1024) {
    const int64_t end = block + 1024 < count ? block + 1024 : count;
    vfloat a0 = splat(start(OP)), a1 = a0, a2 = a0, a3 = a0;
    int64_t i = block;
    for (; i + 4 * VL <= end; i += 4 * VL) {
      a0 = joinVector<OP>(a0, load(p + i));
      a1 = joinVector<OP>(a1, load(p + i + VL));
      a2 = joinVector<OP>(a2, load(p + i + 2 * VL));
      a3 = joinVector<OP>(a3, load(p + i + 3 * VL));
    }
    const vfloat a = joinVector<OP>(joinVector<OP>(a0, a1), joinVector<OP>(a2, a3));
    float s = start(OP);
    for (int k = 0; k < VL; k++) s = join<OP>(s, a[k]);
    for (; i < end; i++) s = join<OP>(s, p[i]);
    if (OP == kSum) sum += s;
    else total = join<OP>(total, s);
  }
  return OP == kSum ? static_cast<float>(sum) : total;
}

static void lines(int op, const float* x, int64_t count, int64_t begin, int64_t end, float* y) {
  for (int64_t i = begin; i < end; i++) {
    const float* p = x + i * count;
    switch (op) {
      case kSum: y[i] = lineOf<kSum>(p, count); break;
      case kMax: y[i] = lineOf<kMax>(p, count); break;
      case kMin: y[i] = lineOf<kMin>(p, count); break;
      case kProd: y[i] = lineOf<kProd>(p, count); break;
    }
  }
}

static void combine(int op, const float* part, int64_t inner, float* to) {
  for (int64_t c = 0; c < inner; c++) {
    switch (op) {
      case kSum: to[c] = join<kSum>(to[c], part[c]); break;
      case kMax: to[c] = join<kMax>(to[c], part[c]); break;
      case kMin: to[c] = join<kMin>(to[c], part[c]); break;
      case kProd: to[c] = join<kProd>(to[c], part[c]); break;
    }
  }
}

static void argMax(const float* x, int64_t count, int64_t inner, int64_t begin, int64_t end, int32_t* y) {
  for (int64_t o = begin; o < end; o++) {
    for (int64_t c = 0; c < inner; c++) {
      const float* p = x + o * count * inner + c;
      float best = p[0];
      int32_t at = 0;
      for (int64_t k = 1; k < count; k++) {
        const float v = p[k * inner];
        if (v > best) {
          best = v;
          at = static_cast<int32_t>(k);
        }
      }
      y[o * inner + c] = at;
    }
  }
}

constexpr int64_t kBlock = 256;  // rows per pass, so that exp runs on whole vectors

static void softmax(const float* x, float* y, int64_t channels, int64_t begin, int64_t end, int logarithm) {
  float shift[kBlock];
  for (int64_t block = begin; block < end; block += kBlock) {
    const int64_t n = end - block < kBlock ? end - block : kBlock;
    const float* p = x + block * channels;
    float* q = y + block * channels;
    for (int64_t r = 0; r < n; r++) {
      float top = p[r * channels];
      for (int64_t c = 1; c < channels; c++) top = join<kMax>(top, p[r * channels + c]);
      shift[r] = top;
      for (int64_t c = 0; c < channels; c++) q[r * channels + c] = p[r * channels + c] - top;
    }
    mapVectors(q, q, n * channels, [](vfloat v) { return vexp(v); });
    if (!logarithm) {
      for (int64_t r = 0; r < n; r++) {
        float sum = 0;
        for (int64_t c = 0; c < channels; c++) sum += q[r * channels + c];
        const float scale = 1.f / sum;
        for (int64_t c = 0; c < channels; c++) q[r * channels + c] *= scale;
      }
      continue;
    }
    float sums[kBlock + VL];
    for (int64_t r = 0; r < n; r++) {
      float sum = 0;
      for (int64_t c = 0; c < channels; c++) sum += q[r * channels + c];
      sums[r] = sum;
    }
    for (int64_t r = n; r < n + VL; r++) sums[r] = 1;
    for (int64_t r = 0; r < n; r += VL) store(sums + r, vlog(load(sums + r)));
    for (int64_t r = 0; r < n; r++)
      for (int64_t c = 0; c < channels; c++) q[r * channels + c] = p[r * channels + c] - shift[r] - sums[r];
  }
}

static void softmaxGrad(const float* dy, const float* y, float* dx, int64_t channels, int64_t begin, int64_t end, int logarithm) {
  for (int64_t block = begin; block < end; block += kBlock) {
    const int64_t n = end - block < kBlock ? end - block : kBlock;
    const float* g = dy + block * channels;
    const float* q = y + block * channels;
    float* d = dx + block * channels;
    if (logarithm) {
      for (int64_t i = 0; i < n * channels; i++) d[i] = q[i];
      mapVectors(d, d, n * channels, [](vfloat v) { return vexp(v); });
    }
    for (int64_t r = 0; r < n; r++) {
      const int64_t at = r * channels;
      float sum = 0;
      for (int64_t c = 0; c < channels; c++) sum += logarithm ? g[at + c] : g[at + c] * q[at + c];
      for (int64_t c = 0; c < channels; c++) d[at + c] = logarithm ? g[at + c] - sum * d[at + c] : (g[at + c] - sum) * q[at + c];
    }
  }
}

const ReduceTable& reduceTable() {
  static const ReduceTable table = {rows, lines, combine, argMax, softmax, softmaxGrad};
  return table;
}

}  // namespace VOX_NS
