// Weighted sums along the axes of a volume, one axis after the other: resampling, Gaussian filters and spline coefficients.
#pragma once

#include <cstddef>
#include <cstdint>

// Output position o is the sum over k < taps of weights[o·taps + k] times input position starts[o] + k. Positions from -before to extent+after-1 may be
// asked for; sources[before + position] says which input position stands for it, -1 for the value 0.
struct AxisPlan {
  int64_t extent, outExtent;
  int taps;
  const int32_t* starts;
  const float* weights;
  int64_t before, after;
  const int32_t* sources;
  // Every output position is the input position of the same number.
  bool isIdentity;
};

struct SeparablePlan {
  // Depth, height, width.
  AxisPlan axes[3];
  int64_t channels;
  // Input rows [row, row + rows) of slice z: either from memory, or made by `generate` into `buffer` (rows · width · channels floats).
  const float* input;
  int64_t inputSlice, inputRow;
  void (*generate)(void* context, int64_t z, int64_t row, int64_t rows, float* buffer);
  void* context;
  // Packed; kept in [low, high], one per channel, where low is not null.
  float* output;
  const float *low, *high;
};

struct SeparableTable {
  // False when memory is short.
  bool (*run)(const SeparablePlan& plan);
};
