// Updates of one variable by its gradient, in place.
#pragma once

#include <cstddef>

struct OptimizerTable {
  // m = m * beta1 + g * (1 - beta1), v = v * beta2 + g^2 * (1 - beta2), w -= m * size / (sqrt(v) * root + epsilon) + w * decay.
  void (*adam)(float* w, const float* g, float* m, float* v, size_t count, float beta1, float beta2, float rest1, float rest2, float size, float root,
               float epsilon, float decay);  // rest = 1 - beta, rounded once
  // u = u * momentum + g, w -= (nesterov ? g + u * momentum : u) * rate + w * decay.
  void (*momentum)(float* w, const float* g, float* u, size_t count, float momentum, float rate, int nesterov, float decay);
};
