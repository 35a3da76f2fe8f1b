// Max and average pooling of channels-last volumes and their gradients.
#pragma once

#include <cstddef>
#include <cstdint>

struct PoolPlan {
  int64_t batch, in[3], channels, window[3], out[3], stride[3], dilation[3], before[3];
};

struct PoolTable {
  // Output planes [begin, end) of batch * depth.
  void (*forward)(const PoolPlan& plan, int average, const float* x, float* y, size_t begin, size_t end);
  // Adds to dx, which is zeroed before. Units [begin, end) are output planes when no two windows along depth overlap, else samples.
  void (*maxGrad)(const PoolPlan& plan, const float* x, const float* dy, float* dx, int64_t firstPlane, int64_t lastPlane);
  void (*averageGrad)(const PoolPlan& plan, const float* dy, float* dx, int64_t firstPlane, int64_t lastPlane);
};
