#include "simd/tensor/dropout.h"

#include "arguments.h"
#include "elementwise-pieces.h"
#include "families.h"
#include "isa.h"

VOX_DECLARE(DropoutTable, dropoutTable)

namespace {

// dropout(x, y, seed, salt, limit, scale): seed, salt and limit are unsigned 32-bit integers.
void dropout(const Napi::CallbackInfo& info) {
  Mapped<float, float> m;
  if (!readMapped(info, 0, 1, m)) return;
  const uint32_t seed = info[2].ToNumber().Uint32Value(), salt = info[3].ToNumber().Uint32Value(), limit = info[4].ToNumber().Uint32Value();
  const float scale = static_cast<float>(number(info, 5));
  const DropoutTable& table = VOX_SELECT(dropoutTable);
  forElements(m.count, [&](size_t begin, size_t end) {
    table.apply(m.x + begin, m.y + begin, end - begin, static_cast<uint32_t>(begin), seed, salt, limit, scale);
  });
}

}  // namespace

void registerDropout(Napi::Env env, Napi::Object exports) { exports.Set("dropout", Napi::Function::New(env, dropout)); }
