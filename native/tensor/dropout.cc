#include "simd/tensor/dropout.h"

#include <algorithm>

#include "arguments.h"
#include "families.h"
#include "isa.h"
#include "parallel.h"

VOX_DECLARE(DropoutTable, dropoutTable)

namespace {

// dropout(x, y, seed, salt, limit, scale): seed, salt and limit are unsigned 32-bit integers.
void dropout(const Napi::CallbackInfo& info) {
  float* y = elements<float>(info, 1, 0);
  if (!y) return;
  const size_t count = info[1].As<Napi::TypedArray>().ElementLength();
  const float* x = elements<float>(info, 0, count);
  if (!x) return;
  const uint32_t seed = info[2].ToNumber().Uint32Value(), salt = info[3].ToNumber().Uint32Value(), limit = info[4].ToNumber().Uint32Value();
  const float scale = static_cast<float>(number(info, 5));
  const DropoutTable& table = VOX_SELECT(dropoutTable);
  constexpr size_t grain = 16384;
  parallelFor((count + grain - 1) / grain, [&](size_t begin, size_t end, int) {
    const size_t first = begin * grain, last = std::min(count, end * grain);
    table.apply(x + first, y + first, last - first, static_cast<uint32_t>(first), seed, salt, limit, scale);
  });
}

}  // namespace

void registerDropout(Napi::Env env, Napi::Object exports) { exports.Set("dropout", Napi::Function::New(env, dropout)); }
