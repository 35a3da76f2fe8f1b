#include "simd/tensor/elementwise.h"

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
  int op;
  Mapped<float, float> m;
  if (!readOperation(info, kUnaryCount, "unary", op) || !readMapped(info, 1, 2, m)) return;
  const float alpha = static_cast<float>(number(info, 3)), beta = static_cast<float>(number(info, 4));
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forElements(m.count, [&](size_t begin, size_t end) { table.unary(op, m.x + begin, m.y + begin, end - begin, alpha, beta); });
}

// binary(op, a, b, y, shape, alpha)
void binary(const Napi::CallbackInfo& info) {
  int op;
  Pair<float, float> p;
  if (!readOperation(info, kBinaryCount, "binary", op) || !readPair(info, p)) return;
  const float alpha = static_cast<float>(number(info, 5));
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forRows(p.shape, p.count, [&](size_t begin, size_t end) { table.binary(op, p.shape, p.a, p.b, p.y, alpha, begin, end); });
}

// compare(op, a, b, y: Uint8Array, shape)
void compare(const Napi::CallbackInfo& info) {
  int op;
  Pair<float, uint8_t> p;
  if (!readOperation(info, kCompareCount, "compare", op) || !readPair(info, p)) return;
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forRows(p.shape, p.count, [&](size_t begin, size_t end) { table.compare(op, p.shape, p.a, p.b, p.y, begin, end); });
}

// Arguments (condition: Uint8Array, a, b, y, shape).
template <class T>
void selectTyped(const Napi::CallbackInfo& info, void (*rows)(const Broadcast&, const uint8_t*, const T*, const T*, T*, size_t, size_t)) {
  Broadcast s;
  size_t count;
  int64_t reach[3];
  if (!readBroadcast(info, 4, 3, s, count, reach)) return;
  const T* a = elements<T>(info, 1, reach[0]);
  const T* b = a ? elements<T>(info, 2, reach[1]) : nullptr;
  const uint8_t* c = b ? elements<uint8_t>(info, 0, reach[2]) : nullptr;
  T* y = c ? elements<T>(info, 3, count) : nullptr;
  if (!y) return;
  forRows(s, count, [&](size_t begin, size_t end) { rows(s, c, a, b, y, begin, end); });
}

// select(condition: Uint8Array, a, b, y, shape), elements of four bytes
void selectWords(const Napi::CallbackInfo& info) { selectTyped<float>(info, VOX_SELECT(elementwiseTable).select); }

// selectBytes(condition, a, b, y, shape), all Uint8Array
void selectBytes(const Napi::CallbackInfo& info) { selectTyped<uint8_t>(info, VOX_SELECT(elementwiseTable).selectBytes); }

// classify(what, x, y: Uint8Array)
void classify(const Napi::CallbackInfo& info) {
  int what;
  Mapped<float, uint8_t> m;
  if (!readOperation(info, 3, "classify", what) || !readMapped(info, 1, 2, m)) return;
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forElements(m.count, [&](size_t begin, size_t end) { table.classify(what, m.x + begin, m.y + begin, end - begin); });
}

// accumulate(x, y): y += x
void accumulate(const Napi::CallbackInfo& info) {
  Mapped<float, float> m;
  if (!readMapped(info, 0, 1, m)) return;
  const ElementwiseTable& table = VOX_SELECT(elementwiseTable);
  forElements(m.count, [&](size_t begin, size_t end) { table.accumulate(m.x + begin, m.y + begin, end - begin); });
}

}  // namespace

void registerElementwise(Napi::Env env, Napi::Object exports) {
  exports.Set("unary", Napi::Function::New(env, unary));
  exports.Set("binary", Napi::Function::New(env, binary));
  exports.Set("compare", Napi::Function::New(env, compare));
  exports.Set("select", Napi::Function::New(env, selectWords));
  exports.Set("selectBytes", Napi::Function::New(env, selectBytes));
  exports.Set("classify", Napi::Function::New(env, classify));
  exports.Set("accumulate", Napi::Function::New(env, accumulate));
}
