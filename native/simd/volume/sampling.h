// Sampling of volumes at freely placed coordinates.
#pragma once

#include <cstddef>
#include <cstdint>

struct SamplePlan {
  // Extents of the input and of the output: depth, height, width.
  int64_t extent[3], outExtent[3];
  double center[3], matrix[9];
  // Three fields of the output's size, or null.
  const float* displacement;
  // Spline coefficients of three fields on every step-th voxel of the output, from voxel -step on, or null.
  const float* lattice;
  int64_t nodes[3], step;
  // A label map of the input's extents that goes along, nearest label, into one of the output's; null for none. Elements of 1 or 2 bytes.
  const void* labels;
  void* labelOutput;
  int labelBytes;
  uint16_t labelFill;
};

struct SamplingTable {
  // Order 0 or 1 on interleaved channels.
  bool (*sample)(const SamplePlan& plan, const float* input, float* output, int64_t channels, bool isLinear, const float* fill);
  // Order 3 from one channel's spline coefficients, which cover the positions [origin, origin + size) of each axis; writes every `channels`-th element.
  bool (*sampleSpline)(const SamplePlan& plan, const float* coefficients, const int64_t* origin, const int64_t* size, float* output, int64_t channels,
                       float fill);
  bool (*sampleLabel8)(const SamplePlan& plan, const uint8_t* input, uint8_t* output, bool isLinear, uint8_t fill);
  bool (*sampleLabel16)(const SamplePlan& plan, const uint16_t* input, uint16_t* output, bool isLinear, uint16_t fill);
};
