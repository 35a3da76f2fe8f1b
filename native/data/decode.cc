#include "simd/data/decode.h"

#include <cmath>
#include <vector>

#include "arguments.h"
#include "families.h"
#include "isa.h"

VOX_DECLARE(DecodeTable, decodeTable)

namespace {

constexpr int kStoredBytes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
// Positions in the array of plan numbers.
enum { kDtype, kSwap, kSlope, kIntercept, kShape, kOffset = kShape + 4, kStrides, kPlanNumbers = kStrides + 4 };
constexpr size_t kSeen = 65536;

bool isWhole(double value, double min, double max) { return std::floor(value) == value && value >= min && value <= max; }

// Fills `plan` when every voxel of it lies within `length` target elements.
bool readPlan(const double* numbers, double length, DecodePlan& plan) {
  if (!isWhole(numbers[kDtype], 0, 9)) return false;
  plan.dtype = static_cast<Stored>(static_cast<int>(numbers[kDtype]));
  plan.swap = numbers[kSwap] != 0;
  plan.slope = numbers[kSlope];
  plan.intercept = numbers[kIntercept];
  double low = numbers[kOffset];
  double high = low;
  if (!isWhole(low, 0, 1e15)) return false;
  plan.offset = static_cast<int64_t>(low);
  for (int axis = 0; axis < 4; axis++) {
    const double extent = numbers[kShape + axis];
    const double stride = numbers[kStrides + axis];
    if (!isWhole(extent, 1, 1e15) || !isWhole(stride, -1e15, 1e15)) return false;
    plan.shape[axis] = static_cast<int64_t>(extent);
    plan.strides[axis] = static_cast<int64_t>(stride);
    (stride < 0 ? low : high) += stride * (extent - 1);
  }
  return low >= 0 && high < length;
}

// decode(plan, bytes, first, target, findings, seen)
void decode(const Napi::CallbackInfo& info) {
  const double* numbers = elements<double>(info, 0, kPlanNumbers);
  const uint8_t* bytes = numbers ? elements<uint8_t>(info, 1, 0) : nullptr;
  double* findings = bytes ? elements<double>(info, 4, sizeof(DecodeFindings) / sizeof(double)) : nullptr;
  uint8_t* seen = findings ? elements<uint8_t>(info, 5, kSeen) : nullptr;
  if (!seen) return;
  if (!info[3].IsTypedArray()) return static_cast<void>(rangeError(info, "argument 3 must be a typed array"));
  const auto target = info[3].As<Napi::TypedArray>();
  DecodePlan plan;
  if (!readPlan(numbers, static_cast<double>(target.ElementLength()), plan)) return static_cast<void>(rangeError(info, "the plan must be valid and lie within the target"));
  const double first = number(info, 2);
  const double all = static_cast<double>(plan.shape[0]) * static_cast<double>(plan.shape[1]) * static_cast<double>(plan.shape[2]) * static_cast<double>(plan.shape[3]);
  const int64_t count = static_cast<int64_t>(info[1].As<Napi::TypedArray>().ElementLength()) / kStoredBytes[static_cast<int>(plan.dtype)];
  if (!isWhole(first, 0, 1e15) || first + static_cast<double>(count) > all) return static_cast<void>(rangeError(info, "the elements must lie within the plan"));
  const int64_t from = static_cast<int64_t>(first);
  DecodeFindings& found = *reinterpret_cast<DecodeFindings*>(findings);
  if (!(found.oddCount >= 0 && found.oddCount <= kMaxOdd)) return static_cast<void>(rangeError(info, "the findings must be those of an earlier call, or zeros"));
  const DecodeTable& table = VOX_SELECT(decodeTable);
  // One scratch per thread: pieces come by the hundred.
  thread_local std::vector<uint64_t> scratch;
  scratch.resize((static_cast<size_t>(count) * target.ElementSize() + 7) / 8);
  switch (target.TypedArrayType()) {
    case napi_float32_array:
      return table.toFloat(plan, bytes, from, count, elements<float>(info, 3, 0), reinterpret_cast<float*>(scratch.data()), found);
    case napi_uint8_array:
      return table.toUint8(plan, bytes, from, count, elements<uint8_t>(info, 3, 0), reinterpret_cast<uint8_t*>(scratch.data()), found, seen);
    case napi_uint16_array:
      return table.toUint16(plan, bytes, from, count, elements<uint16_t>(info, 3, 0), reinterpret_cast<uint16_t*>(scratch.data()), found, seen);
    default: return static_cast<void>(rangeError(info, "the target must be a Float32Array, Uint8Array or Uint16Array"));
  }
}

}  // namespace

void registerDecode(Napi::Env env, Napi::Object exports) { exports.Set("decode", Napi::Function::New(env, decode)); }
