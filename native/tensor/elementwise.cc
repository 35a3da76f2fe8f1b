#include "simd/tensor/elementwise.h"

#include <algorithm>

#include "arguments.h"
#include "elementwise-pieces.h"
#include "families.h"
#include "isa.h"
#include "parallel.h"
#include "shapes.h"

VOX_DECLARE(ElementwiseTable, elementwiseTable)

namespace {

// unary(op, x, y, alpha, beta)
void unary(const Napi::CallbackInfo& info) {
  const int op = static_cast<int>(integer(info, 0));
  if (op < 0 || op >= kUnaryCount) return static_cast<void>(shapeError(info, "unary: unknown operation"));
  float* y = elements<float>(info, 2, 0);
  if (!y) return;
  const size_t count = info[2].As<Napi::TypedArray>().ElementLength();
  const float* x = elements<float>(info, 1, count);
  if (!x) return;
  const float alpha = static_cast<float>(number(info, 3)), beta = static_cast<float>(number(info, 4));
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forElements(count, [&](size_t begin, size_t end) { table.unary(op, x + begin, y + begin, end - begin, alpha, beta); });
}

// binary(op, a, b, y, shape, alpha)
void binary(const Napi::CallbackInfo& info) {
  const int op = static_cast<int>(integer(info, 0));
  if (op < 0 || op >= kBinaryCount) return static_cast<void>(shapeError(info, "binary: unknown operation"));
  Broadcast s;
  size_t count;
  int64_t reach[3];
  if (!readBroadcast(info, 4, 2, s, count, reach)) return;
  const float* a = elements<float>(info, 1, reach[0]);
  const float* b = a ? elements<float>(info, 2, reach[1]) : nullptr;
  float* y = b ? elements<float>(info, 3, count) : nullptr;
  if (!y) return;
  const float alpha = static_cast<float>(number(info, 5));
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forRows(s, count, [&](size_t begin, size_t end) { table.binary(op, s, a, b, y, alpha, begin, end); });
}

// compare(op, a, b, y: Uint8Array, shape)
void compare(const Napi::CallbackInfo& info) {
  const int op = static_cast<int>(integer(info, 0));
  if (op < 0 || op >= kCompareCount) return static_cast<void>(shapeError(info, "compare: unknown operation"));
  Broadcast s;
  size_t count;
  int64_t reach[3];
  if (!readBroadcast(info, 4, 2, s, count, reach)) return;
  const float* a = elements<float>(info, 1, reach[0]);
  const float* b = a ? elements<float>(info, 2, reach[1]) : nullptr;
  uint8_t* y = b ? elements<uint8_t>(info, 3, count) : nullptr;
  if (!y) return;
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forRows(s, count, [&](size_t begin, size_t end) { table.compare(op, s, a, b, y, begin, end); });
}

// select(condition: Uint8Array, a, b, y, shape)
void selectWhere(const Napi::CallbackInfo& info) {
  Broadcast s;
  size_t count;
  int64_t reach[3];
  if (!readBroadcast(info, 4, 3, s, count, reach)) return;
  const float* a = elements<float>(info, 1, reach[0]);
  const float* b = a ? elements<float>(info, 2, reach[1]) : nullptr;
  const uint8_t* c = b ? elements<uint8_t>(info, 0, reach[2]) : nullptr;
  float* y = c ? elements<float>(info, 3, count) : nullptr;
  if (!y) return;
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forRows(s, count, [&](size_t begin, size_t end) { table.select(s, c, a, b, y, begin, end); });
}

// classify(what, x, y: Uint8Array)
void classify(const Napi::CallbackInfo& info) {
  const int what = static_cast<int>(integer(info, 0));
  if (what < 0 || what > 2) return static_cast<void>(shapeError(info, "classify: unknown operation"));
  uint8_t* y = elements<uint8_t>(info, 2, 0);
  if (!y) return;
  const size_t count = info[2].As<Napi::TypedArray>().ElementLength();
  const float* x = elements<float>(info, 1, count);
  if (!x) return;
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forElements(count, [&](size_t begin, size_t end) { table.classify(what, x + begin, y + begin, end - begin); });
}

// accumulate(x, y): y += x
void accumulate(const Napi::CallbackInfo& info) {
  float* y = elements<float>(info, 1, 0);
  if (!y) return;
  const size_t count = info[1].As<Napi::TypedArray>().ElementLength();
  const float* x = elements<float>(info, 0, count);
  if (!x) return;
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forElements(count, [&](size_t begin, size_t end) { table.accumulate(x + begin, y + begin, end - begin); });
}

}  // namespace

void registerElementwise(Napi::Env env, Napi::Object exports) {
  exports.Set("unary", Napi::Function::New(env, unary));
  exports.Set("binary", Napi::Function::New(env, binary));
  exports.Set("compare", Napi::Function::New(env, compare));
  exports.Set("select", Napi::Function::New(env, selectWhere));
  exports.Set("classify", Napi::Function::New(env, classify));
  exports.Set("accumulate", Napi::Function::New(env, accumulate));
}
