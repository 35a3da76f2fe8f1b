#include "simd/tensor/integer.h"

#include <algorithm>

#include "arguments.h"
#include "elementwise-pieces.h"
#include "families.h"
#include "isa.h"
#include "parallel.h"
#include "shapes.h"

VOX_DECLARE(IntegerTable, integerTable)

namespace {

// integerUnary(op, x, y, low, high)
void unary(const Napi::CallbackInfo& info) {
  int op;
  Mapped<int32_t, int32_t> m;
  if (!readOperation(info, kIntegerUnaryCount, "integerUnary", op) || !readMapped(info, 1, 2, m)) return;
  // Bounds that no int32 reaches, such as infinities, bound nothing.
  const double low = std::max(-2147483648.0, std::min(2147483647.0, number(info, 3))), high = std::max(-2147483648.0, std::min(2147483647.0, number(info, 4)));
  const IntegerTable& table = VOX_SELECT(integerTable);
  forElements(m.count, [&](size_t begin, size_t end) {
    table.unary(op, m.x + begin, m.y + begin, end - begin, static_cast<int32_t>(low), static_cast<int32_t>(high));
  });
}

// Arguments (op, a, b, y, shape).
template <class In, class Out>
void pairwise(const Napi::CallbackInfo& info, int operations, const char* where, void (*rows)(int, const Broadcast&, const In*, const In*, Out*, size_t, size_t)) {
  int op;
  Pair<In, Out> p;
  if (!readOperation(info, operations, where, op) || !readPair(info, p)) return;
  forRows(p.shape, p.count, [&](size_t begin, size_t end) { rows(op, p.shape, p.a, p.b, p.y, begin, end); });
}

// integerBinary(op, a, b, y, shape)
void binary(const Napi::CallbackInfo& info) { pairwise(info, kIntegerBinaryCount, "integerBinary", VOX_SELECT(integerTable).binary); }

// integerCompare(op, a, b, y: Uint8Array, shape)
void compare(const Napi::CallbackInfo& info) { pairwise(info, kCompareCount, "integerCompare", VOX_SELECT(integerTable).compare); }

// logical(op, a: Uint8Array, b: Uint8Array, y: Uint8Array, shape)
void logical(const Napi::CallbackInfo& info) { pairwise(info, kLogicalCount, "logical", VOX_SELECT(integerTable).logical); }

// Arguments (op, x, y, outer, count, inner).
template <class T>
void reduceTyped(const Napi::CallbackInfo& info, int operations, const char* where,
                 void (*fold)(int, const T*, int64_t, int64_t, int64_t, int64_t, T*)) {
  int op;
  Reduction r;
  if (!readOperation(info, operations, where, op) || !readReduction(info, 3, where, r)) return;
  const T* x = elements<T>(info, 1, r.size());
  T* y = x ? elements<T>(info, 2, r.kept()) : nullptr;
  if (!y) return;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, r.count));
  parallelFor((r.kept() + grain - 1) / grain,
              [&](size_t begin, size_t end, int) { fold(op, x, r.count, r.inner, begin * grain, std::min<int64_t>(r.kept(), end * grain), y); });
}

// integerReduce(op, x, y, outer, count, inner)
void reduce(const Napi::CallbackInfo& info) { reduceTyped(info, kIntegerReduceCount, "integerReduce", VOX_SELECT(integerTable).reduce); }

// anyOrAll(all, x: Uint8Array, y: Uint8Array, outer, count, inner)
void anyOrAll(const Napi::CallbackInfo& info) { reduceTyped(info, 2, "anyOrAll", VOX_SELECT(integerTable).any); }

}  // namespace

void registerInteger(Napi::Env env, Napi::Object exports) {
  exports.Set("integerUnary", Napi::Function::New(env, unary));
  exports.Set("integerBinary", Napi::Function::New(env, binary));
  exports.Set("integerCompare", Napi::Function::New(env, compare));
  exports.Set("logical", Napi::Function::New(env, logical));
  exports.Set("integerReduce", Napi::Function::New(env, reduce));
  exports.Set("anyOrAll", Napi::Function::New(env, anyOrAll));
}
