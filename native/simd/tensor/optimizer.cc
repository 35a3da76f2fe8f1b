#include "optimizer.h"

#include "simd/vector.h"

namespace VOX_NS {

static void adam(float* __restrict w, const float* __restrict g, float* __restrict m, float* __restrict v, size_t count, float beta1, float beta2, float rest1,
                 float rest2, float size, float root, float epsilon, float decay) {
  for (size_t i = 0; i < count; i++) {
    const float a = m[i] * beta1 + g[i] * rest1;
    const float b = v[i] * beta2 + g[i] * g[i] * rest2;
    m[i] = a;
    v[i] = b;
    w[i] = w[i] - (a * size / (__builtin_sqrtf(b) * root + epsilon) + w[i] * decay);
  }
}

static void momentum(float* __restrict w, const float* __restrict g, float* __restrict u, size_t count, float momentum, float rate, int nesterov,
                     float decay) {
  for (size_t i = 0; i < count; i++) {
    const float velocity = u[i] * momentum + g[i];
    u[i] = velocity;
    const float step = nesterov ? g[i] + velocity * momentum : velocity;
    w[i] = w[i] - (step * rate + w[i] * decay);
  }
}

const OptimizerTable& optimizerTable() {
  static const OptimizerTable table = {adam, momentum};
  return table;
}

}  // namespace VOX_NS
