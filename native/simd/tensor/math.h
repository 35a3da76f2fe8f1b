// exp and log on vectors, within about 2 units in the last place.
#pragma once

#include "simd/logarithm.h"
#include "simd/vector.h"

namespace VOX_NS {

static inline vfloat asFloat(vint x) { return (vfloat)x; }
static inline vint asInt(vfloat x) { return (vint)x; }
static inline vfloat toFloat(vint x) { return __builtin_convertvector(x, vfloat); }
static inline vint toInt(vfloat x) { return __builtin_convertvector(x, vint); }
static inline vint splatInt(int32_t x) { return x - vint{}; }
static inline vfloat vabs(vfloat x) { return asFloat(asInt(x) & 0x7fffffff); }

static inline vfloat vexp(vfloat x) {
  const vfloat clamped = lower(upper(x, splat(-104.f)), splat(89.f));
  const vfloat n = roundNear(clamped * 1.44269504088896341f);
  vfloat r = clamped - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  vfloat p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const vfloat e = p * r * r + r + 1.f;
  // 2^n in two steps, so that results beyond the normal range become denormal or infinite as they should.
  const vint i = toInt(n);
  const vint half = i >> 1;
  const vfloat s1 = asFloat((half + 127) << 23), s2 = asFloat((i - half + 127) << 23);
  const vfloat y = e * s1 * s2;
  return x == x ? y : x;
}

static inline vfloat vlog(vfloat x) {
  // Denormals are scaled up first.
  const vint tiny = x < 1.17549435e-38f;
  const vfloat scaled = tiny ? x * 33554432.f : x;
  vint e;
  vfloat m;
  splitForLog(scaled, e, m);
  e = tiny ? e - 25 : e;
  const vfloat z = m * m;
  const vfloat p = logPolynomial(m);
  vfloat y = p * m * z;
  const vfloat fe = toFloat(e);
  y = y + fe * -2.12194440e-4f - z * 0.5f;
  y = m + y + fe * 0.693359375f;
  const float inf = __builtin_inff();
  y = x == splat(inf) ? x : y;
  y = x == vfloat{} ? splat(-inf) : y;
  return x >= vfloat{} ? y : splat(__builtin_nanf(""));
}

static inline vfloat vsigmoid(vfloat x) {
  // Without overflow for either sign.
  const vfloat e = vexp(-vabs(x));
  const vfloat s = 1.f / (1.f + e);
  return x >= vfloat{} ? s : (x == x ? e * s : x);
}

static inline vfloat vtanh(vfloat x) {
  const vfloat a = vabs(x);
  // Odd polynomial near zero, where 1 - 2 / (exp(2x) + 1) would cancel.
  const vfloat z = x * x;
  vfloat p = splat(-5.70498872745e-3f);
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const vfloat near = x + x * z * p;
  const vfloat e = vexp(a + a);
  const vfloat far = 1.f - 2.f / (e + 1.f);
  const vfloat t = a < 0.625f ? near : (x < vfloat{} ? -far : far);
  return x == x ? t : x;
}

// log(1 + exp(x)) without overflow.
static inline vfloat vsoftplus(vfloat x) {
  const vfloat e = vexp(-vabs(x));
  const vfloat u = 1.f + e;
  // log1p(e): the rounding error of u is taken back.
  const vfloat l = u == splat(1.f) ? e : vlog(u) * e / (u - 1.f);
  return (x > vfloat{} ? x : (x == x ? vfloat{} : x)) + l;
}

static inline float vsum(vfloat x) {
  float s = 0;
  for (int i = 0; i < kFloats; i++) s += x[i];
  return s;
}

}  // namespace VOX_NS
