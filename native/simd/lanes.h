// What data kernels need beside vfloat: doubles, unsigned words, rounding, and transposition of square blocks.
#pragma once

#include "shuffle.h"

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#endif

namespace VOX_NS {

constexpr int kDoubles = kFloats / 2;
typedef uint32_t vword __attribute__((vector_size(VOX_VECTOR_BYTES), aligned(4), may_alias));
typedef uint64_t vlong __attribute__((vector_size(VOX_VECTOR_BYTES), aligned(8), may_alias));
typedef double vdouble __attribute__((vector_size(VOX_VECTOR_BYTES), aligned(8), may_alias));
// Half as wide: as many floats or ints as there are doubles in a vector.
typedef float vhalf __attribute__((vector_size(VOX_VECTOR_BYTES / 2), aligned(4), may_alias));
typedef int32_t vhalfInt __attribute__((vector_size(VOX_VECTOR_BYTES / 2), aligned(4), may_alias));
typedef float vquad __attribute__((vector_size(16), aligned(4), may_alias));

static inline vquad loadQuad(const float* p) { return *reinterpret_cast<const vquad*>(p); }
static inline vdouble splatDouble(double x) { return x - vdouble{}; }
static inline vdouble widen(const float* p) { return __builtin_convertvector(*reinterpret_cast<const vhalf*>(p), vdouble); }
// NaN passes through: the comparisons are false.
static inline vfloat clamp(vfloat x, vfloat low, vfloat high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}
static inline float clamp(float x, float low, float high) { return x < low ? low : x > high ? high : x; }

// Nearest whole number, halves to even, for |x| < 2^22; the sign of larger numbers is kept with their value.
static inline vfloat roundEven(vfloat x) {
  const vfloat rounded = roundNear(x);
  const vint isSmall = (x < splat(4194304.f)) & (x > splat(-4194304.f));
  return isSmall ? rounded : x;
}

// Lanes of a and b in turn, from their lower or upper halves.
template <int... I>
static inline vfloat interleaveLow(vfloat a, vfloat b, Indices<I...>) {
  return shuffled<(I / 2 + (I % 2) * kFloats)...>(a, b);
}
template <int... I>
static inline vfloat interleaveHigh(vfloat a, vfloat b, Indices<I...>) {
  return shuffled<(kFloats / 2 + I / 2 + (I % 2) * kFloats)...>(a, b);
}

// Square transposition: interleaving row i with row i + n/2, log2(n) times, sends lane j of row i to lane i of row j.
static inline void transpose(vfloat* rows) {
  typedef AllIndices<kFloats> All;
  for (int width = 1; width < kFloats; width *= 2) {
    vfloat next[kFloats];
    for (int i = 0; i < kFloats / 2; i++) {
      next[2 * i] = interleaveLow(rows[i], rows[i + kFloats / 2], All());
      next[2 * i + 1] = interleaveHigh(rows[i], rows[i + kFloats / 2], All());
    }
    for (int i = 0; i < kFloats; i++) rows[i] = next[i];
  }
}

// a·k of every 32-bit lane as upper and lower word.
static inline void multiplyWide(vword a, uint32_t k, vword& high, vword& low) {
#if defined(__AVX512F__) && VOX_VECTOR_BYTES == 64
  const __m512i x = (__m512i)a, factor = _mm512_set1_epi64(k);
  const __m512i even = _mm512_mul_epu32(x, factor), odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), factor);
  low = (vword)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
  high = (vword)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
#elif defined(__AVX2__) && VOX_VECTOR_BYTES == 32
  const __m256i x = (__m256i)a, factor = _mm256_set1_epi64x(k);
  const __m256i even = _mm256_mul_epu32(x, factor), odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), factor);
  low = (vword)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
  high = (vword)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
#elif defined(__SSE2__) && VOX_VECTOR_BYTES == 16
  const __m128i x = (__m128i)a, factor = _mm_set1_epi64x(k), lowHalf = _mm_set1_epi64x(0xffffffff);
  const __m128i even = _mm_mul_epu32(x, factor), odd = _mm_mul_epu32(_mm_srli_epi64(x, 32), factor);
  low = (vword)_mm_or_si128(_mm_and_si128(even, lowHalf), _mm_slli_epi64(odd, 32));
  high = (vword)_mm_or_si128(_mm_srli_epi64(even, 32), _mm_andnot_si128(lowHalf, odd));
#else
  for (int i = 0; i < kFloats; i++) {
    const uint64_t product = static_cast<uint64_t>(a[i]) * k;
    low[i] = static_cast<uint32_t>(product);
    high[i] = static_cast<uint32_t>(product >> 32);
  }
#endif
}

static inline vfloat squareRoot(vfloat x) {
#if defined(__AVX512F__) && VOX_VECTOR_BYTES == 64
  return (vfloat)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__) && VOX_VECTOR_BYTES == 32
  return (vfloat)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__) && VOX_VECTOR_BYTES == 16
  return (vfloat)_mm_sqrt_ps((__m128)x);
#else
  for (int i = 0; i < kFloats; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

}  // namespace VOX_NS
