#include "simd/tensor/pool.h"

#include <cstring>

#include "arguments.h"
#include "families.h"
#include "isa.h"
#include "parallel.h"
#include "shapes.h"

VOX_DECLARE(PoolTable, poolTable)

namespace {

// 20 numbers: batch, input, channels, window, output, stride, dilation, padding before.
bool plan(const Napi::CallbackInfo& info, size_t i, PoolPlan& p) {
  int64_t n[20];
  if (!readGeometry(info, i, "pool", n)) return false;
  p.batch = n[0];
  p.channels = n[4];
  double in = double(n[0]) * n[4], out = in;
  for (int a = 0; a < 3; a++) {
    p.in[a] = n[1 + a];
    p.window[a] = n[5 + a];
    p.out[a] = n[8 + a];
    p.stride[a] = n[11 + a];
    p.dilation[a] = n[14 + a];
    p.before[a] = n[17 + a];
    in *= n[1 + a];
    out *= n[8 + a];
    if (p.in[a] < 0 || p.out[a] < 0 || p.window[a] < 1 || p.stride[a] < 1 || p.dilation[a] < 1) return rangeError(info, "pool: sizes are out of range");
  }
  if (p.batch < 0 || p.channels < 0 || !(in < 9e15 && out < 9e15)) return rangeError(info, "pool: sizes are out of range");
  return true;
}

size_t inSize(const PoolPlan& p) { return static_cast<size_t>(p.batch) * p.in[0] * p.in[1] * p.in[2] * p.channels; }
size_t outSize(const PoolPlan& p) { return static_cast<size_t>(p.batch) * p.out[0] * p.out[1] * p.out[2] * p.channels; }

// poolForward(x, y, geometry, average)
void forward(const Napi::CallbackInfo& info) {
  PoolPlan p;
  if (!plan(info, 2, p)) return;
  const float* x = elements<float>(info, 0, inSize(p));
  float* y = x ? elements<float>(info, 1, outSize(p)) : nullptr;
  if (!y) return;
  const int average = static_cast<int>(integer(info, 3));
  const PoolTable& table = VOX_SELECT(poolTable);
  parallelFor(p.batch * p.out[0], [&](size_t begin, size_t end, int) { table.forward(p, average, x, y, begin, end); });
}

template <class Body>
void zeroAndRun(const PoolPlan& p, float* dx, const Body& body) {
  std::memset(dx, 0, inSize(p) * sizeof(float));
  const bool apart = (p.window[0] - 1) * p.dilation[0] < p.stride[0];
  if (apart) {
    parallelFor(p.batch * p.out[0], [&](size_t begin, size_t end, int) { body(begin, end); });
  } else {
    parallelFor(p.batch, [&](size_t begin, size_t end, int) { body(begin * p.out[0], end * p.out[0]); });
  }
}

// maxPoolGrad(x, dy, dx, geometry)
void maxGrad(const Napi::CallbackInfo& info) {
  PoolPlan p;
  if (!plan(info, 3, p)) return;
  const float* x = elements<float>(info, 0, inSize(p));
  const float* dy = x ? elements<float>(info, 1, outSize(p)) : nullptr;
  float* dx = dy ? elements<float>(info, 2, inSize(p)) : nullptr;
  if (!dx) return;
  const PoolTable& table = VOX_SELECT(poolTable);
  zeroAndRun(p, dx, [&](int64_t begin, int64_t end) { table.maxGrad(p, x, dy, dx, begin, end); });
}

// averagePoolGrad(dy, dx, geometry)
void averageGrad(const Napi::CallbackInfo& info) {
  PoolPlan p;
  if (!plan(info, 2, p)) return;
  const float* dy = elements<float>(info, 0, outSize(p));
  float* dx = dy ? elements<float>(info, 1, inSize(p)) : nullptr;
  if (!dx) return;
  const PoolTable& table = VOX_SELECT(poolTable);
  zeroAndRun(p, dx, [&](int64_t begin, int64_t end) { table.averageGrad(p, dy, dx, begin, end); });
}

}  // namespace

void registerPool(Napi::Env env, Napi::Object exports) {
  exports.Set("poolForward", Napi::Function::New(env, forward));
  exports.Set("maxPoolGrad", Napi::Function::New(env, maxGrad));
  exports.Set("averagePoolGrad", Napi::Function::New(env, averageGrad));
}
