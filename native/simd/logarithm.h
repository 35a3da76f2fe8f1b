// What the logarithms of training and data kernels share. Polynomial: Cephes, logf.
#pragma once

#include "vector.h"

namespace VOX_NS {

// x = (1 + m) * 2^e with 1 + m in [sqrt 1/2, sqrt 2), for normal x > 0.
static inline void splitForLog(vfloat x, vint& e, vfloat& m) {
  const vint bits = (vint)x;
  m = (vfloat)((bits & 0x007fffff) | 0x3f000000);
  const vint isLow = m < 0.707106781186547524f;
  m = isLow ? m + m : m;
  e = (bits >> 23) - 126 + isLow;  // isLow is -1 where true
  m = m - 1.f;
}

// p with ln(1 + m) = m - m^2 / 2 + p * m^3.
static inline vfloat logPolynomial(vfloat m) {
  vfloat p = splat(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  return p * m + 3.3333331174e-1f;
}

}  // namespace VOX_NS
