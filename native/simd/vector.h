// Vectors of VOX_VECTOR_BYTES bytes, by the compiler's vector extension: the same source gives SSE2, AVX2, AVX-512 and NEON code.
// Files in this folder are compiled once per instruction set. They use no standard containers or other inline library code: the linker keeps one
// copy of such a function, which may be the one with the widest instructions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace VOX_NS {

constexpr int kFloats = VOX_VECTOR_BYTES / 4;
typedef float vfloat __attribute__((vector_size(VOX_VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t vint __attribute__((vector_size(VOX_VECTOR_BYTES), aligned(4), may_alias));

static inline vfloat load(const float* p) { return *reinterpret_cast<const vfloat*>(p); }
static inline void store(float* p, vfloat v) { *reinterpret_cast<vfloat*>(p) = v; }
static inline vfloat splat(float x) { return x - vfloat{}; }
static inline vfloat lower(vfloat a, vfloat b) { return a < b ? a : b; }
static inline vfloat upper(vfloat a, vfloat b) { return a > b ? a : b; }
// Adding and taking away 1.5 * 2^23 rounds to the nearest integer, halves to even, where |x| < 2^22.
static inline vfloat roundNear(vfloat x) { return (x + 12582912.f) - 12582912.f; }

// The first `count` lanes alone; others are read as 0.
static inline vfloat loadPart(const float* p, int64_t count) {
  if (count >= kFloats) return load(p);
  float v[kFloats] = {};
  for (int64_t i = 0; i < count; i++) v[i] = p[i];
  return load(v);
}
static inline void storePart(float* p, vfloat x, int64_t count) {
  if (count >= kFloats) return store(p, x);
  float v[kFloats];
  store(v, x);
  for (int64_t i = 0; i < count; i++) p[i] = v[i];
}

// y = f(x) on whole vectors, and on the rest through a padded one, so that a value does not depend on its place in the array.
template <class F>
static inline __attribute__((always_inline)) void mapVectors(const float* x, float* y, int64_t count, F f) {
  int64_t i = 0;
  for (; i + kFloats <= count; i += kFloats) store(y + i, f(load(x + i)));
  if (i < count) storePart(y + i, f(loadPart(x + i, count - i)), count - i);
}

}  // namespace VOX_NS
