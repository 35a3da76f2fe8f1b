#include <napi.h>

#include "families.h"
#include "isa.h"
#include "parallel.h"

#define VOX_TEXT_OF(x) #x
#define VOX_TEXT(x) VOX_TEXT_OF(x)

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("version", Napi::String::New(env, VOX_TEXT(VOX_VERSION)));
  exports.Set("isa", Napi::String::New(env, isaName()));
  exports.Set("threadCount", Napi::Function::New(env, [](const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), threadCount()); }));
  exports.Set("setThreadCount", Napi::Function::New(env, [](const Napi::CallbackInfo& info) { setThreadCount(info[0].ToNumber().Int32Value()); }));
  registerIntensity(env, exports);
  registerChunks(env, exports);
  registerConv(env, exports);
  registerDropout(env, exports);
  registerElementwise(env, exports);
  registerIndexing(env, exports);
  registerInteger(env, exports);
  registerLayout(env, exports);
  registerPool(env, exports);
  registerReduce(env, exports);
  registerPatch(env, exports);
  registerResample(env, exports);
  registerLabels(env, exports);
  registerSampling(env, exports);
  registerWindow(env, exports);
  registerStructure(env, exports);
  registerDecode(env, exports);
  registerInflate(env, exports);
  registerAxis(env, exports);
  registerMemory(env, exports);
  registerPages(env, exports);
  registerNorm(env, exports);
  registerOptimizer(env, exports);
  registerStatistics(env, exports);
  return exports;
}

NODE_API_MODULE(voxstream, init)
