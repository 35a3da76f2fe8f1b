// y[o][i][:] = sum over j of weight(i, j) * x[o][j][:]: a sparse matrix along one axis. Up-sampling and its gradient are three of these.
#include "arguments.h"
#include "families.h"
#include "isa.h"
#include "parallel.h"
#include "shapes.h"
#include "simd/tensor/axis.h"

VOX_DECLARE(AxisTable, axisTable)

namespace {

// applyAxis(x, y, outer, inSize, outSize, inner, starts: Int32Array[outSize + 1], indices: Int32Array, weights: Float32Array)
void applyAxis(const Napi::CallbackInfo& info) {
  AxisMap m;
  if (!readAxisMap(info, 2, "applyAxis", m)) return;
  const int64_t outer = m.outer, inSize = m.in, outSize = m.out, inner = m.inner;
  const float* x = elements<float>(info, 0, outer * inSize * inner);
  float* y = x ? elements<float>(info, 1, outer * outSize * inner) : nullptr;
  const int32_t* starts = y ? elements<int32_t>(info, 6, outSize + 1) : nullptr;
  if (!starts) return;
  const int32_t count = starts[outSize];
  if (starts[0] != 0 || count < 0) return static_cast<void>(rangeError(info, "applyAxis: starts must begin with 0 and ascend"));
  for (int64_t i = 0; i < outSize; i++) {
    if (starts[i + 1] < starts[i]) return static_cast<void>(rangeError(info, "applyAxis: starts must begin with 0 and ascend"));
  }
  const int32_t* indices = elements<int32_t>(info, 7, count);
  const float* weights = indices ? elements<float>(info, 8, count) : nullptr;
  if (!weights) return;
  for (int32_t i = 0; i < count; i++) {
    if (indices[i] < 0 || indices[i] >= inSize) return static_cast<void>(rangeError(info, "applyAxis: an index is outside the axis"));
  }
  const AxisTable& table = VOX_SELECT(axisTable);
  parallelFor(outer * outSize, [&](size_t begin, size_t end, int) {
    for (size_t row = begin; row < end; row++) {
      const int64_t i = row % outSize;
      table.combine(x + row / outSize * inSize * inner, y + row * inner, inner, starts[i + 1] - starts[i], indices + starts[i], weights + starts[i]);
    }
  });
}

}  // namespace

void registerAxis(Napi::Env env, Napi::Object exports) { exports.Set("applyAxis", Napi::Function::New(env, applyAxis)); }
