// Element-wise intensity kernels on float32, channels interleaved.
#pragma once

#include <cstddef>
#include <cstdint>

struct ChannelMoments {
  double count, min, max, mean, squares;
};

// Per channel; see AffineTerms in the TypeScript reference.
struct AffineTerms {
  const float *low, *high, *shift, *scale, *offset, *floor, *ceiling;
};

struct IntensityTable {
  void (*clip)(const float* input, float* output, size_t count, float min, float max);
  // `squares` is the sum of squared deviations from the mean. More than four channels go one by one.
  void (*moments)(const float* input, size_t voxels, int channels, float low, float high, ChannelMoments* result);
  void (*affine)(const float* input, float* output, size_t voxels, int channels, const AffineTerms& terms, bool round);
  void (*gamma)(const float* input, float* output, size_t voxels, int channels, int channel, float exponent, float min, float width, float sign);
  void (*noise)(const float* input, float* output, size_t count, int channels, const float* sigma, const uint32_t* key);
  // Elements [begin, end) of a uniform field in (-1, 1).
  void (*uniform)(float* output, size_t begin, size_t end, uint32_t stream, const uint32_t* key);
  void (*range)(const float* input, size_t count, float* min, float* max);
};
