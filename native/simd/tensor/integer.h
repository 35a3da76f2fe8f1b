// Arithmetic on int32 and on bool (uint8, 0 or 1), with broadcasting by strides. Results wrap to 32 bits, as in TensorFlow.
#pragma once

#include "elementwise.h"

enum IntegerBinaryOp : int {
  kIntAdd, kIntSub, kIntMul, kIntMaximum, kIntMinimum, kIntSquaredDifference, kIntFloorDiv, kIntMod, kIntegerBinaryCount
};
enum IntegerUnaryOp : int { kIntNeg, kIntAbs, kIntSquare, kIntSign, kIntRelu, kIntClip, kIntegerUnaryCount };
enum LogicalOp : int { kAnd, kOr, kXor, kLogicalCount };
enum IntegerReduceOp : int { kIntSum, kIntMax, kIntMin, kIntProd, kIntegerReduceCount };

struct IntegerTable {
  void (*unary)(int op, const int32_t* x, int32_t* y, size_t count, int32_t low, int32_t high);
  // Rows as in ElementwiseTable.
  void (*binary)(int op, const Broadcast& shape, const int32_t* a, const int32_t* b, int32_t* y, size_t begin, size_t end);
  void (*compare)(int op, const Broadcast& shape, const int32_t* a, const int32_t* b, uint8_t* y, size_t begin, size_t end);
  void (*logical)(int op, const Broadcast& shape, const uint8_t* a, const uint8_t* b, uint8_t* y, size_t begin, size_t end);
  // Of [outer, count, inner] over count, for outputs [begin, end) of outer * inner.
  void (*reduce)(int op, const int32_t* x, int64_t count, int64_t inner, int64_t begin, int64_t end, int32_t* y);
  void (*any)(int all, const uint8_t* x, int64_t count, int64_t inner, int64_t begin, int64_t end, uint8_t* y);
};
