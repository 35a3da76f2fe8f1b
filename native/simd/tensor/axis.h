// Weighted sums of rows.
#pragma once

#include <cstddef>
#include <cstdint>

struct AxisTable {
  // y = sum of weights[j] * row indices[j] of x; rows have `inner` elements.
  void (*combine)(const float* x, float* y, int64_t inner, int64_t count, const int32_t* indices, const float* weights);
};
