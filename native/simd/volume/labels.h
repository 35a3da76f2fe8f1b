// Kernels on label maps of 8 or 16 bits.
#pragma once

#include <cstddef>
#include <cstdint>

struct LabelResamplePlan {
  int64_t extent[3], outExtent[3];
  // The two source positions of each output position, and the share of the second.
  const int32_t* low[3];
  const int32_t* high[3];
  const double* fraction[3];
  // Working memory: 2·width bytes.
  uint8_t* uniform;
};

struct LabelTable {
  void (*resample8)(const uint8_t* input, uint8_t* output, const LabelResamplePlan& plan, bool isLinear);
  void (*resample16)(const uint16_t* input, uint16_t* output, const LabelResamplePlan& plan, bool isLinear);
  // Each returns the index of the first label that is out of range, or -1.
  int64_t (*oneHot8)(const uint8_t* labels, size_t count, float* output, uint8_t* byteOutput, uint32_t classes);
  int64_t (*oneHot16)(const uint16_t* labels, size_t count, float* output, uint8_t* byteOutput, uint32_t classes);
  void (*argMax8)(const float* scores, uint8_t* output, size_t voxels, uint32_t channels);
  void (*argMax16)(const float* scores, uint16_t* output, size_t voxels, uint32_t channels);
};
