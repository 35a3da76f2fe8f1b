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

bool operation(const Napi::CallbackInfo& info, int count, int& op) {
  op = static_cast<int>(integer(info, 0));
  return (op >= 0 && op < count) || shapeError(info, "integer: unknown operation");
}

// integerUnary(op, x, y, low, high)
void unary(const Napi::CallbackInfo& info) {
  int op;
  if (!operation(info, kIntegerUnaryCount, op)) return;
  int32_t* y = elements<int32_t>(info, 2, 0);
  if (!y) return;
  const size_t count = info[2].As<Napi::TypedArray>().ElementLength();
  const int32_t* x = elements<int32_t>(info, 1, count);
  if (!x) return;
  // Bounds that no int32 reaches, such as infinities, bound nothing.
  const double low = std::max(-2147483648.0, std::min(2147483647.0, number(info, 3))), high = std::max(-2147483648.0, std::min(2147483647.0, number(info, 4)));
  const IntegerTable& table = VOX_SELECT(integerTable);
  forElements(count, [&](size_t begin, size_t end) {
    table.unary(op, x + begin, y + begin, end - begin, static_cast<int32_t>(low), static_cast<int32_t>(high));
  });
}

// Calls body(a, b, y, shape, count) for arguments (op, a, b, y, shape).
template <class In, class Out, class Body>
void binaryArguments(const Napi::CallbackInfo& info, const Body& body) {
  Broadcast s;
  size_t count;
  int64_t reach[3];
  if (!readBroadcast(info, 4, 2, s, count, reach)) return;
  const In* a = elements<In>(info, 1, reach[0]);
  const In* b = a ? elements<In>(info, 2, reach[1]) : nullptr;
  Out* y = b ? elements<Out>(info, 3, count) : nullptr;
  if (!y) return;
  forRows(s, count, [&](size_t begin, size_t end) { body(s, a, b, y, begin, end); });
}

// integerBinary(op, a, b, y, shape)
void binary(const Napi::CallbackInfo& info) {
  int op;
  if (!operation(info, kIntegerBinaryCount, op)) return;
  const IntegerTable& table = VOX_SELECT(integerTable);
  binaryArguments<int32_t, int32_t>(info, [&](const Broadcast& s, const int32_t* a, const int32_t* b, int32_t* y, size_t begin, size_t end) {
    table.binary(op, s, a, b, y, begin, end);
  });
}

// integerCompare(op, a, b, y: Uint8Array, shape)
void compare(const Napi::CallbackInfo& info) {
  int op;
  if (!operation(info, kCompareCount, op)) return;
  const IntegerTable& table = VOX_SELECT(integerTable);
  binaryArguments<int32_t, uint8_t>(info, [&](const Broadcast& s, const int32_t* a, const int32_t* b, uint8_t* y, size_t begin, size_t end) {
    table.compare(op, s, a, b, y, begin, end);
  });
}

// logical(op, a: Uint8Array, b: Uint8Array, y: Uint8Array, shape)
void logical(const Napi::CallbackInfo& info) {
  int op;
  if (!operation(info, kLogicalCount, op)) return;
  const IntegerTable& table = VOX_SELECT(integerTable);
  binaryArguments<uint8_t, uint8_t>(info, [&](const Broadcast& s, const uint8_t* a, const uint8_t* b, uint8_t* y, size_t begin, size_t end) {
    table.logical(op, s, a, b, y, begin, end);
  });
}

// selectBytes(condition, a, b, y, shape), all Uint8Array
void selectBytes(const Napi::CallbackInfo& info) {
  Broadcast s;
  size_t count;
  int64_t reach[3];
  if (!readBroadcast(info, 4, 3, s, count, reach)) return;
  const uint8_t* a = elements<uint8_t>(info, 1, reach[0]);
  const uint8_t* b = a ? elements<uint8_t>(info, 2, reach[1]) : nullptr;
  const uint8_t* c = b ? elements<uint8_t>(info, 0, reach[2]) : nullptr;
  uint8_t* y = c ? elements<uint8_t>(info, 3, count) : nullptr;
  if (!y) return;
  const IntegerTable& table = VOX_SELECT(integerTable);
  forRows(s, count, [&](size_t begin, size_t end) { table.select(s, c, a, b, y, begin, end); });
}

// Calls body(x, y, count, inner, begin, end) over outer * inner for arguments (op, x, y, outer, count, inner).
template <class T, class Body>
void reduceArguments(const Napi::CallbackInfo& info, const Body& body) {
  const double o = number(info, 3), n = number(info, 4), c = number(info, 5);
  if (!(o >= 0 && n >= 0 && c >= 0 && o * n * c < 9e15 && o * c < 9e15)) return static_cast<void>(shapeError(info, "integer: sizes must be >= 0"));
  const int64_t outer = static_cast<int64_t>(o), count = static_cast<int64_t>(n), inner = static_cast<int64_t>(c);
  const T* x = elements<T>(info, 1, outer * count * inner);
  T* y = x ? elements<T>(info, 2, outer * inner) : nullptr;
  if (!y) return;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, count));
  parallelFor((outer * inner + grain - 1) / grain,
              [&](size_t begin, size_t end, int) { body(x, y, count, inner, begin * grain, std::min<int64_t>(outer * inner, end * grain)); });
}

// integerReduce(op, x, y, outer, count, inner)
void reduce(const Napi::CallbackInfo& info) {
  int op;
  if (!operation(info, kIntegerReduceCount, op)) return;
  const IntegerTable& table = VOX_SELECT(integerTable);
  reduceArguments<int32_t>(info, [&](const int32_t* x, int32_t* y, int64_t count, int64_t inner, int64_t begin, int64_t end) {
    table.reduce(op, x, count, inner, begin, end, y);
  });
}

// anyOrAll(all, x: Uint8Array, y: Uint8Array, outer, count, inner)
void anyOrAll(const Napi::CallbackInfo& info) {
  int op;
  if (!operation(info, 2, op)) return;
  const IntegerTable& table = VOX_SELECT(integerTable);
  reduceArguments<uint8_t>(info, [&](const uint8_t* x, uint8_t* y, int64_t count, int64_t inner, int64_t begin, int64_t end) {
    table.any(op, x, count, inner, begin, end, y);
  });
}

}  // namespace

void registerInteger(Napi::Env env, Napi::Object exports) {
  exports.Set("integerUnary", Napi::Function::New(env, unary));
  exports.Set("integerBinary", Napi::Function::New(env, binary));
  exports.Set("integerCompare", Napi::Function::New(env, compare));
  exports.Set("logical", Napi::Function::New(env, logical));
  exports.Set("selectBytes", Napi::Function::New(env, selectBytes));
  exports.Set("integerReduce", Napi::Function::New(env, reduce));
  exports.Set("anyOrAll", Napi::Function::New(env, anyOrAll));
}
