#include "simd/volume/window.h"

#include <algorithm>

#include "families.h"
#include "isa.h"
#include "volume-arguments.h"

VOX_DECLARE(WindowTable, windowTable)

namespace {

// windowAccumulate(sum, weightSum, shape, patch, patchShape, start, weights | undefined)
void windowAccumulate(const Napi::CallbackInfo& info) {
  Extents shape, patchShape;
  int64_t start[3];
  if (!readExtents(info, 2, shape) || !readExtents(info, 4, patchShape) || !readTriple(info, 5, start)) return;
  if (shape.channels != patchShape.channels) {
    rangeError(info, "windowAccumulate: shapes must have the same channels");
    return;
  }
  float* sum = elements<float>(info, 0, shape.count());
  float* weightSum = sum ? elements<float>(info, 1, shape.voxels()) : nullptr;
  const float* patch = weightSum ? elements<float>(info, 3, patchShape.count()) : nullptr;
  if (!patch) return;
  const float* weights = nullptr;
  if (info[6].IsTypedArray()) {
    weights = elements<float>(info, 6, patchShape.voxels());
    if (!weights) return;
  }
  const WindowTable& table = VOX_SELECT(windowTable);
  const int64_t first = std::max<int64_t>(0, -start[2]), end = std::min(patchShape.width, shape.width - start[2]);
  if (end <= first) return;
  for (int64_t z = std::max<int64_t>(0, -start[0]); z < std::min(patchShape.depth, shape.depth - start[0]); z++) {
    for (int64_t y = std::max<int64_t>(0, -start[1]); y < std::min(patchShape.height, shape.height - start[1]); y++) {
      const int64_t from = (z * patchShape.height + y) * patchShape.width + first;
      const int64_t to = ((z + start[0]) * shape.height + y + start[1]) * shape.width + start[2] + first;
      table.accumulateRow(sum + to * shape.channels, weightSum + to, patch + from * shape.channels, weights ? weights + from : nullptr, end - first,
                          shape.channels);
    }
  }
}

// windowFinish(sum, weightSum, output, channels) → voxels without weight
Napi::Value windowFinish(const Napi::CallbackInfo& info) {
  const size_t voxels = info[1].IsTypedArray() ? info[1].As<Napi::TypedArray>().ElementLength() : 0;
  const int64_t channels = integer(info, 3);
  if (channels < 1 || channels > 1000000) {
    rangeError(info, "windowFinish: channels must be >= 1");
    return info.Env().Undefined();
  }
  const float* weightSum = elements<float>(info, 1, voxels);
  const float* sum = weightSum ? elements<float>(info, 0, voxels * channels) : nullptr;
  float* output = sum ? elements<float>(info, 2, voxels * channels) : nullptr;
  if (!output) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(VOX_SELECT(windowTable).finish(sum, weightSum, output, voxels, channels)));
}

}  // namespace

void registerWindow(Napi::Env env, Napi::Object exports) {
  exports.Set("windowAccumulate", Napi::Function::New(env, windowAccumulate));
  exports.Set("windowFinish", Napi::Function::New(env, windowFinish));
}
