// Weighted sums of overlapping windows.
#pragma once

#include <cstddef>
#include <cstdint>

struct WindowTable {
  // sum[x·channels + c] += weight[x]·patch[x·channels + c], weightSum[x] += weight[x]; weight may be null for 1.
  void (*accumulateRow)(float* sum, float* weightSum, const float* patch, const float* weight, size_t width, size_t channels);
  // output = sum/weightSum, 0 where the weight is 0; returns how many voxels that were.
  size_t (*finish)(const float* sum, const float* weightSum, float* output, size_t voxels, size_t channels);
};
