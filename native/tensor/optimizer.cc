#include "simd/tensor/optimizer.h"

#include "arguments.h"
#include "elementwise-pieces.h"
#include "families.h"
#include "isa.h"

VOX_DECLARE(OptimizerTable, optimizerTable)

namespace {

// adam(w, g, m, v, beta1, beta2, size, root, epsilon, decay)
void adam(const Napi::CallbackInfo& info) {
  Mapped<float, float> variable;
  if (!readMapped(info, 1, 0, variable)) return;
  float* w = variable.y;
  const float* g = variable.x;
  const size_t count = variable.count;
  float* m = elements<float>(info, 2, count);
  float* v = m ? elements<float>(info, 3, count) : nullptr;
  if (!v) return;
  float k[6];
  for (int i = 0; i < 6; i++) k[i] = static_cast<float>(number(info, 4 + i));
  // In float, 1 - 0.999 would be off by 1.3e-5.
  const float rest1 = static_cast<float>(1 - number(info, 4)), rest2 = static_cast<float>(1 - number(info, 5));
  const OptimizerTable& table = VOX_SELECT(optimizerTable);
  forElements(count, [&](size_t a, size_t b) { table.adam(w + a, g + a, m + a, v + a, b - a, k[0], k[1], rest1, rest2, k[2], k[3], k[4], k[5]); });
}

// momentum(w, g, u, momentum, rate, nesterov, decay)
void momentum(const Napi::CallbackInfo& info) {
  Mapped<float, float> variable;
  if (!readMapped(info, 1, 0, variable)) return;
  float* w = variable.y;
  const float* g = variable.x;
  const size_t count = variable.count;
  float* u = elements<float>(info, 2, count);
  if (!u) return;
  const float share = static_cast<float>(number(info, 3)), rate = static_cast<float>(number(info, 4)), decay = static_cast<float>(number(info, 6));
  const int nesterov = static_cast<int>(integer(info, 5));
  const OptimizerTable& table = VOX_SELECT(optimizerTable);
  forElements(count, [&](size_t a, size_t b) { table.momentum(w + a, g + a, u + a, b - a, share, rate, nesterov, decay); });
}

}  // namespace

void registerOptimizer(Napi::Env env, Napi::Object exports) {
  exports.Set("adam", Napi::Function::New(env, adam));
  exports.Set("momentum", Napi::Function::New(env, momentum));
}
