#include "elementwise.h"

#include <cmath>

#include "math.h"
#include "rows.h"
#include "simd/vector.h"

namespace VOX_NS {

constexpr int VL = kFloats;

// Functions that training rarely needs: the system's, one element at a time.
template <class F>
static inline __attribute__((always_inline)) void each(const float* x, float* y, size_t count, F f) {
  for (size_t i = 0; i < count; i++) y[i] = f(x[i]);
}

static inline vfloat vsqrt(vfloat x) {
  vfloat y;
  for (int i = 0; i < VL; i++) y[i] = __builtin_sqrtf(x[i]);
  return y;
}

static void unary(int op, const float* x, float* y, size_t count, float alpha, float beta) {
  const vfloat zero = {};
  switch (op) {
    case kNeg: return mapVectors(x, y, count, [](vfloat v) { return -v; });
    case kAbs: return mapVectors(x, y, count, [](vfloat v) { return vabs(v); });
    case kSquare: return mapVectors(x, y, count, [](vfloat v) { return v * v; });
    case kSqrt: return mapVectors(x, y, count, [](vfloat v) { return vsqrt(v); });
    case kRsqrt: return mapVectors(x, y, count, [](vfloat v) { return 1.f / vsqrt(v); });
    case kReciprocal: return mapVectors(x, y, count, [](vfloat v) { return 1.f / v; });
    case kExp: return mapVectors(x, y, count, [](vfloat v) { return vexp(v); });
    case kLog: return mapVectors(x, y, count, [](vfloat v) { return vlog(v); });
    case kReluOp: return mapVectors(x, y, count, [zero](vfloat v) { return v > zero ? v : (v == v ? zero : v); });
    case kRelu6: return mapVectors(x, y, count, [zero](vfloat v) { return v > zero ? (v < 6.f ? v : splat(6.f)) : (v == v ? zero : v); });
    case kLeaky: return mapVectors(x, y, count, [zero, alpha](vfloat v) { return v < zero ? v * alpha : v; });
    case kElu: return mapVectors(x, y, count, [zero](vfloat v) { return v >= zero ? v : vexp(v) - 1.f; });
    case kSigmoid: return mapVectors(x, y, count, [](vfloat v) { return vsigmoid(v); });
    case kTanh: return mapVectors(x, y, count, [](vfloat v) { return vtanh(v); });
    case kSoftplus: return mapVectors(x, y, count, [](vfloat v) { return vsoftplus(v); });
    case kSign: return mapVectors(x, y, count, [zero](vfloat v) { return v > zero ? splat(1.f) : v < zero ? splat(-1.f) : zero; });
    case kFloor: for (size_t i = 0; i < count; i++) y[i] = __builtin_floorf(x[i]); return;
    case kCeil: for (size_t i = 0; i < count; i++) y[i] = __builtin_ceilf(x[i]); return;
    case kStep: return mapVectors(x, y, count, [zero, alpha](vfloat v) { return v > zero ? splat(1.f) : (v == v ? splat(alpha) : v); });
    case kClip: return mapVectors(x, y, count, [alpha, beta](vfloat v) { return v > splat(beta) ? splat(beta) : v < splat(alpha) ? splat(alpha) : v; });
    case kScale: return mapVectors(x, y, count, [alpha, beta](vfloat v) { return v * alpha + beta; });
    case kSelu: return mapVectors(x, y, count, [zero](vfloat v) { return v >= zero ? v * 1.0507009873554805f : (vexp(v) - 1.f) * 1.7580993408473766f; });
    case kRound: return each(x, y, count, [](float v) { return __builtin_rintf(v); });
    case kSin: return each(x, y, count, [](float v) { return __builtin_sinf(v); });
    case kCos: return each(x, y, count, [](float v) { return __builtin_cosf(v); });
    case kTan: return each(x, y, count, [](float v) { return __builtin_tanf(v); });
    case kAsin: return each(x, y, count, [](float v) { return __builtin_asinf(v); });
    case kAcos: return each(x, y, count, [](float v) { return __builtin_acosf(v); });
    case kAtan: return each(x, y, count, [](float v) { return __builtin_atanf(v); });
    case kSinh: return each(x, y, count, [](float v) { return __builtin_sinhf(v); });
    case kCosh: return each(x, y, count, [](float v) { return __builtin_coshf(v); });
    case kAsinh: return each(x, y, count, [](float v) { return __builtin_asinhf(v); });
    case kAcosh: return each(x, y, count, [](float v) { return __builtin_acoshf(v); });
    case kAtanh: return each(x, y, count, [](float v) { return __builtin_atanhf(v); });
    case kExpm1: return each(x, y, count, [](float v) { return __builtin_expm1f(v); });
    case kLog1p: return each(x, y, count, [](float v) { return __builtin_log1pf(v); });
    case kErf: return each(x, y, count, [](float v) { return __builtin_erff(v); });
  }
}

static inline vfloat gather(const float* p, int64_t stride, int64_t count) {
  float v[VL] = {};
  for (int64_t i = 0; i < count; i++) v[i] = p[i * stride];
  return load(v);
}

// out(i, vector) for each vector of a row, reading inputs of stride 1, 0 or any.
template <class Out, class F>
static inline __attribute__((always_inline)) void row2(const float* a, int64_t sa, const float* b, int64_t sb, int64_t count, Out out, F f) {
  int64_t i = 0;
  if (sa == 1 && sb == 1) {
    for (; i + VL <= count; i += VL) out(i, VL, f(load(a + i), load(b + i)));
  } else if (sa == 1 && sb == 0) {
    const vfloat v = splat(*b);
    for (; i + VL <= count; i += VL) out(i, VL, f(load(a + i), v));
  } else if (sa == 0 && sb == 1) {
    const vfloat v = splat(*a);
    for (; i + VL <= count; i += VL) out(i, VL, f(v, load(b + i)));
  }
  for (; i < count; i += VL) {
    const int64_t n = count - i < VL ? count - i : VL;
    out(i, n, f(gather(a + i * sa, sa, n), gather(b + i * sb, sb, n)));
  }
}

template <class F>
static inline __attribute__((always_inline)) void map2(const Broadcast& s, const float* a, const float* b, float* y, size_t begin, size_t end, F f) {
  const int last = s.rank - 1;
  const int64_t count = s.size[last];
  walkRows(s, begin, end, [&](int64_t oa, int64_t ob, int64_t, size_t row) {
    float* to = y + row * count;
    row2(a + oa, s.a[last], b + ob, s.b[last], count, [to](int64_t i, int64_t n, vfloat v) {
      if (n == VL) return store(to + i, v);
      for (int64_t k = 0; k < n; k++) to[i + k] = v[k];
    }, f);
  });
}

static void binary(int op, const Broadcast& s, const float* a, const float* b, float* y, float alpha, size_t begin, size_t end) {
  const vfloat zero = {};
  switch (op) {
    case kAdd: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) { return p + q; });
    case kSub: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) { return p - q; });
    case kMul: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) { return p * q; });
    case kDiv: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) { return p / q; });
    case kMaximum: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) { return p > q ? p : (p == p ? q : p); });
    case kMinimum: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) { return p < q ? p : (p == p ? q : p); });
    case kSquaredDifference: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) { const vfloat d = p - q; return d * d; });
    // a is dy; b is the output of the activation, or its input where both have the same sign.
    case kReluGrad: return map2(s, a, b, y, begin, end, [zero](vfloat p, vfloat q) { return q > zero ? p : (q == q ? zero : q); });
    case kLeakyGrad: return map2(s, a, b, y, begin, end, [zero, alpha](vfloat p, vfloat q) { return q > zero ? p : p * alpha; });
    case kEluGrad: return map2(s, a, b, y, begin, end, [zero](vfloat p, vfloat q) { return q >= zero ? p : p * (q + 1.f); });
    case kSigmoidGrad: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) { return p * q * (1.f - q); });
    case kTanhGrad: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) { return p * (1.f - q * q); });
    case kPow:
      return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) {
        vfloat r;
        for (int i = 0; i < VL; i++) r[i] = q[i] == 2.f ? p[i] * p[i] : __builtin_powf(p[i], q[i]);
        return r;
      });
    // In double precision, as the quotient of two floats may round up to a whole number.
    case kFloorDiv: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) {
      vfloat r;
      for (int i = 0; i < VL; i++) r[i] = static_cast<float>(__builtin_floor(static_cast<double>(p[i]) / static_cast<double>(q[i])));
      return r;
    });
    // The sign is the divisor's, as in TensorFlow.
    case kMod: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) {
      vfloat r;
      for (int i = 0; i < VL; i++) {
        const double divisor = q[i], rest = __builtin_fmod(p[i], divisor);
        r[i] = static_cast<float>((p[i] < 0) == (q[i] < 0) ? rest : __builtin_fmod(rest + divisor, divisor));
      }
      return r;
    });
    case kAtan2: return map2(s, a, b, y, begin, end, [](vfloat p, vfloat q) {
      vfloat r;
      for (int i = 0; i < VL; i++) r[i] = __builtin_atan2f(p[i], q[i]);
      return r;
    });
    case kPrelu: return map2(s, a, b, y, begin, end, [zero](vfloat p, vfloat q) { return p < zero ? p * q : p; });
  }
}

template <class F>
static inline __attribute__((always_inline)) void compare2(const Broadcast& s, const float* a, const float* b, uint8_t* y, size_t begin, size_t end, F f) {
  const int last = s.rank - 1;
  const int64_t count = s.size[last];
  walkRows(s, begin, end, [&](int64_t oa, int64_t ob, int64_t, size_t row) {
    uint8_t* to = y + row * count;
    row2(a + oa, s.a[last], b + ob, s.b[last], count, [to](int64_t i, int64_t n, vint v) {
      for (int64_t k = 0; k < n; k++) to[i + k] = v[k] & 1;
    }, f);
  });
}

static void compare(int op, const Broadcast& s, const float* a, const float* b, uint8_t* y, size_t begin, size_t end) {
  switch (op) {
    case kEqual: return compare2(s, a, b, y, begin, end, [](vfloat p, vfloat q) -> vint { return p == q; });
    case kNotEqual: return compare2(s, a, b, y, begin, end, [](vfloat p, vfloat q) -> vint { return p != q; });
    case kLess: return compare2(s, a, b, y, begin, end, [](vfloat p, vfloat q) -> vint { return p < q; });
    case kLessEqual: return compare2(s, a, b, y, begin, end, [](vfloat p, vfloat q) -> vint { return p <= q; });
    case kGreater: return compare2(s, a, b, y, begin, end, [](vfloat p, vfloat q) -> vint { return p > q; });
    case kGreaterEqual: return compare2(s, a, b, y, begin, end, [](vfloat p, vfloat q) -> vint { return p >= q; });
  }
}

// 0 is NaN, 1 is infinite, 2 is finite.
static void classify(int what, const float* x, uint8_t* y, size_t count) {
  const float infinity = __builtin_inff();
  for (size_t i = 0; i < count; i++) {
    const float v = x[i];
    y[i] = what == 0 ? v != v : what == 1 ? v == infinity || v == -infinity : v - v == 0;
  }
}

template <class T>
static void select(const Broadcast& s, const uint8_t* condition, const T* a, const T* b, T* y, size_t begin, size_t end) {
  const int last = s.rank - 1;
  const int64_t count = s.size[last];
  walkRows(s, begin, end, [&](int64_t oa, int64_t ob, int64_t oc, size_t row) {
    T* to = y + row * count;
    const T* p = a + oa;
    const T* q = b + ob;
    const uint8_t* c = condition + oc;
    for (int64_t i = 0; i < count; i++) to[i] = c[i * s.c[last]] ? p[i * s.a[last]] : q[i * s.b[last]];
  });
}

static void accumulate(const float* x, float* y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

const ElementwiseTable& elementwiseTable() {
  static const ElementwiseTable table = {unary, binary, compare, classify, select<float>, select<uint8_t>, accumulate};
  return table;
}

}  // namespace VOX_NS
