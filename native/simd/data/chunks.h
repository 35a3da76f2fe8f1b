// Rows of voxels to and from the narrower elements in which the cache may keep them.
#pragma once

#include <cstddef>
#include <cstdint>

struct ChunksTable {
  // q = floor((x - offset) / scale + 0.5), within 0..65535; `scale` and `offset` of channel i % channels. Elements may lie at any byte.
  void (*toInt16)(const float* input, uint8_t* output, size_t count, size_t channels, const double* scale, const double* offset);
  // x = offset + scale q
  void (*fromInt16)(const uint8_t* input, float* output, size_t count, size_t channels, const double* scale, const double* offset);
  // IEEE 754 binary16, to the nearest, ties to even.
  void (*toFloat16)(const float* input, uint8_t* output, size_t count);
  void (*fromFloat16)(const uint8_t* input, float* output, size_t count);
  // Copies bytes past the caches; other threads see them after `finishStores`.
  void (*copyPastCaches)(const uint8_t* input, uint8_t* output, size_t bytes);
  void (*finishStores)();
};
