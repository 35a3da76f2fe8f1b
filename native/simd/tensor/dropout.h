// Dropout whose mask is a function of seed and place: the gradient draws it again instead of keeping it.
#pragma once

#include <cstddef>
#include <cstdint>

struct DropoutTable {
  // y[i] = x[i] * scale where the hash of first + i is at least `limit`, else 0.
  void (*apply)(const float* x, float* y, size_t count, uint32_t first, uint32_t seed, uint32_t salt, uint32_t limit, float scale);
};
