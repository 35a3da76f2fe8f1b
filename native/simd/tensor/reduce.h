// Reductions of [outer, count, inner] over count, and softmax over the last dimension.
#pragma once

#include <cstddef>
#include <cstdint>

enum ReduceOp : int { kSum, kMax, kMin, kProd, kReduceCount };

struct ReduceTable {
  // Reduces rows [begin, end) of one [count, inner] block to to[inner].
  void (*rows)(int op, const float* x, int64_t inner, int64_t begin, int64_t end, float* to);
  // y[i] for outer indices [begin, end) with inner 1.
  void (*lines)(int op, const float* x, int64_t count, int64_t begin, int64_t end, float* y);
  void (*combine)(int op, const float* part, int64_t inner, float* to);
  void (*argMax)(const float* x, int64_t count, int64_t inner, int64_t begin, int64_t end, int32_t* y);  // over outer indices
  void (*softmax)(const float* x, float* y, int64_t channels, int64_t begin, int64_t end, int logarithm);
  // dx of softmax (logarithm 0: dx = (dy - sum(dy * y)) * y) or of its logarithm (dx = dy - sum(dy) * exp(y)).
  void (*softmaxGrad)(const float* dy, const float* y, float* dx, int64_t channels, int64_t begin, int64_t end, int logarithm);
};
