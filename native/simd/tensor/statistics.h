// What segmentation losses are made of: softmax over channels with integer labels, summed per class, without one-hot labels in memory.
#pragma once

#include <cstddef>
#include <cstdint>

struct StatisticsTable {
  // Adds per class, over rows: overlap (p where the label is the class), predicted (p), actual (1 where it is), surprise (-log p where it is).
  void (*sums)(const float* logits, const int32_t* labels, int64_t rows, int64_t channels, double* overlap, double* predicted, double* actual,
               double* surprise);
  // Gradient of the logits for gradients of overlap, predicted and surprise per class.
  void (*grad)(const float* logits, const int32_t* labels, float* dx, int64_t rows, int64_t channels, const float* overlap, const float* predicted,
               const float* surprise);
};
