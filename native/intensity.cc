#include "simd/intensity.h"

#include "arguments.h"
#include "families.h"
#include "isa.h"

VOX_DECLARE(IntensityTable, intensityTable)

// clip(input, output, min, max)
static void clip(const Napi::CallbackInfo& info) {
  float* output = elements<float>(info, 1, 0);
  if (!output) return;
  const size_t count = info[1].As<Napi::TypedArray>().ElementLength();
  const float* input = elements<float>(info, 0, count);
  if (!input) return;
  VOX_SELECT(intensityTable).clip(input, output, count, static_cast<float>(number(info, 2)), static_cast<float>(number(info, 3)));
}

void registerIntensity(Napi::Env env, Napi::Object exports) { exports.Set("clip", Napi::Function::New(env, clip)); }
