// log2, exp2 and sine with cosine in single precision, for arguments that the data kernels can have.
#pragma once

#include "simd/lanes.h"
#include "simd/logarithm.h"

namespace VOX_NS {

// ln(x) for normal x > 0, as exponent * ln 2 + mantissa.
static inline void logParts(vfloat x, vfloat& exponent, vfloat& mantissa) {
  vint e;
  vfloat m;
  splitForLog(x, e, m);
  exponent = __builtin_convertvector(e, vfloat);
  mantissa = m + m * m * (logPolynomial(m) * m - 0.5f);
}

static inline vfloat naturalLog(vfloat x) {
  vfloat e, m;
  logParts(x, e, m);
  return m + e * 0.69314718055994531f;
}

// t^g for t in [0, 1] and g > 0; t below the normal range counts as 0. Polynomial: Cephes, exp2f.
static inline vfloat unitPower(vfloat t, float g) {
  vfloat e, m;
  logParts(upper(t, splat(1.1754944e-38f)), e, m);
  const vfloat y = upper((e + m * 1.44269504088896341f) * g, splat(-126.f));
  const vfloat n = roundNear(y);
  const vfloat f = y - n;
  vfloat p = splat(1.535336188319500e-4f);
  p = p * f + 1.339887440266574e-3f;
  p = p * f + 9.618437357674640e-3f;
  p = p * f + 5.550332471162809e-2f;
  p = p * f + 2.402264791363012e-1f;
  p = p * f + 6.931472028550421e-1f;
  const vfloat power = (vfloat)((__builtin_convertvector(n, vint) + 127) << 23);
  const vfloat result = (p * f + 1.f) * power;
  return t < 1.1754944e-38f ? vfloat{} : result;
}

// sin and cos of 2πu for u in (0, 1). Polynomials: Cephes, sinf and cosf.
static inline void turn(vfloat u, vfloat& sine, vfloat& cosine) {
  const vfloat quarter = roundNear(u * 4.f);
  const vfloat x = (u - quarter * 0.25f) * 6.283185307179586f;
  const vfloat z = x * x;
  vfloat s = splat(-1.9515295891e-4f);
  s = s * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = x + x * z * s;
  vfloat c = splat(2.443315711809948e-5f);
  c = c * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = 1.f - 0.5f * z + z * z * c;
  const vint q = __builtin_convertvector(quarter, vint);
  const vint isSwapped = (q & 1) != 0;
  const vfloat a = isSwapped ? c : s;
  const vfloat b = isSwapped ? s : c;
  // Quarter turns 2 and 3 negate the sine, 1 and 2 the cosine.
  sine = (vfloat)((vint)a ^ ((q & 2) << 30));
  cosine = (vfloat)((vint)b ^ (((q + 1) & 2) << 30));
}

}  // namespace VOX_NS
