// One line per kernel family: each adds its functions to the addon's exports.
#pragma once

#include <napi.h>

void registerIntensity(Napi::Env env, Napi::Object exports);
void registerChunks(Napi::Env env, Napi::Object exports);
void registerConv(Napi::Env env, Napi::Object exports);
void registerDropout(Napi::Env env, Napi::Object exports);
void registerElementwise(Napi::Env env, Napi::Object exports);
void registerIndexing(Napi::Env env, Napi::Object exports);
void registerInteger(Napi::Env env, Napi::Object exports);
void registerLayout(Napi::Env env, Napi::Object exports);
void registerPool(Napi::Env env, Napi::Object exports);
void registerReduce(Napi::Env env, Napi::Object exports);
void registerDecode(Napi::Env env, Napi::Object exports);
void registerInflate(Napi::Env env, Napi::Object exports);
void registerPatch(Napi::Env env, Napi::Object exports);
void registerAxis(Napi::Env env, Napi::Object exports);
void registerNorm(Napi::Env env, Napi::Object exports);
void registerOptimizer(Napi::Env env, Napi::Object exports);
void registerStatistics(Napi::Env env, Napi::Object exports);
void registerResample(Napi::Env env, Napi::Object exports);
void registerLabels(Napi::Env env, Napi::Object exports);
void registerSampling(Napi::Env env, Napi::Object exports);
void registerWindow(Napi::Env env, Napi::Object exports);
void registerStructure(Napi::Env env, Napi::Object exports);
void registerMemory(Napi::Env env, Napi::Object exports);
void registerPages(Napi::Env env, Napi::Object exports);
