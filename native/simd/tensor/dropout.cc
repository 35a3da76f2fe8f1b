#include "dropout.h"

#include "simd/vector.h"

namespace VOX_NS {

// Two rounds of the finalizer of MurmurHash3, each keyed; the same integers as hash() in src/engine/ops/seeded-dropout.ts.
static inline uint32_t finalize(uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  return h ^ (h >> 16);
}

static void apply(const float* x, float* y, size_t count, uint32_t first, uint32_t seed, uint32_t salt, uint32_t limit, float scale) {
  for (size_t i = 0; i < count; i++) {
    const uint32_t h = finalize(finalize((first + static_cast<uint32_t>(i)) ^ seed) + salt);
    y[i] = h >= limit ? x[i] * scale : 0.f;
  }
}

const DropoutTable& dropoutTable() {
  static const DropoutTable table = {apply};
  return table;
}

}  // namespace VOX_NS
