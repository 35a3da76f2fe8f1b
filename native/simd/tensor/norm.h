// Normalization of [segments, rows, channels]: statistics, scale and shift with activation, and the gradient. Coefficients come one per element of a
// period: a multiple of both the channels and the vector length, so that every channel count runs on whole vectors.
#pragma once

#include <cstddef>
#include <cstdint>

struct NormTable {
  int64_t (*period)(int64_t channels);
  // Mean and sum of squared deviations per channel of rows of one chunk; work holds 2 * period floats.
  void (*moments)(const float* x, int64_t rows, int64_t channels, float* mean, float* deviation, float* work);
  // y = activation(x * scale + shift) over count elements, the first of which is the period's first.
  void (*apply)(const float* x, float* y, int64_t count, int64_t period, const float* scale, const float* shift, int activation, float alpha);
  // Per channel: sum of g and of g * x, where g = dy * activation'(x * scale + shift).
  void (*gradSums)(const float* x, const float* dy, int64_t rows, int64_t channels, const float* scale, const float* shift, int activation, float alpha,
                   float* sum, float* product, float* work);
  // dx = g * k1 + x * k2 + k3.
  void (*gradApply)(const float* x, const float* dy, float* dx, int64_t count, int64_t period, const float* scale, const float* shift, const float* k1,
                    const float* k2, const float* k3, int activation, float alpha);
  // g = dy * activation'(y) and its sums per channel; y may be null for a linear one, g may be null.
  void (*biasGrad)(const float* dy, const float* y, float* g, int64_t rows, int64_t channels, int activation, float alpha, float* sum, float* work);
};
