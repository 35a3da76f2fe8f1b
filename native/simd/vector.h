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

}  // namespace VOX_NS
