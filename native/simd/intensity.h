// Element-wise intensity kernels on float32.
#pragma once

#include <cstddef>

struct IntensityTable {
  void (*clip)(const float* input, float* output, size_t count, float min, float max);
};
