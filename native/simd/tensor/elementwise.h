// Element-wise float32 arithmetic, with broadcasting by strides.
#pragma once

#include <cstddef>
#include <cstdint>

enum UnaryOp : int {
  kNeg, kAbs, kSquare, kSqrt, kRsqrt, kReciprocal, kExp, kLog, kReluOp, kRelu6, kLeaky, kElu, kSigmoid, kTanh, kSoftplus, kSign, kFloor, kCeil, kStep, kClip,
  kScale, kSelu, kRound, kSin, kCos, kTan, kAsin, kAcos, kAtan, kSinh, kCosh, kAsinh, kAcosh, kAtanh, kExpm1, kLog1p, kErf, kUnaryCount
};

enum BinaryOp : int {
  kAdd, kSub, kMul, kDiv, kMaximum, kMinimum, kSquaredDifference, kReluGrad, kLeakyGrad, kEluGrad, kSigmoidGrad, kTanhGrad, kPrelu, kPow, kFloorDiv, kMod,
  kAtan2, kBinaryCount
};

enum CompareOp : int { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kCompareCount };

struct Broadcast {
  int rank;            // 1 to 6, after merging
  int64_t size[6];
  int64_t a[6], b[6], c[6];  // strides of the inputs, 0 where broadcast
};

struct ElementwiseTable {
  void (*unary)(int op, const float* x, float* y, size_t count, float alpha, float beta);
  // Rows [begin, end): a row is the last dimension, numbered over all others.
  void (*binary)(int op, const Broadcast& shape, const float* a, const float* b, float* y, float alpha, size_t begin, size_t end);
  void (*compare)(int op, const Broadcast& shape, const float* a, const float* b, uint8_t* y, size_t begin, size_t end);
  void (*classify)(int what, const float* x, uint8_t* y, size_t count);
  void (*select)(const Broadcast& shape, const uint8_t* condition, const float* a, const float* b, float* y, size_t begin, size_t end);
  void (*selectBytes)(const Broadcast& shape, const uint8_t* condition, const uint8_t* a, const uint8_t* b, uint8_t* y, size_t begin, size_t end);
  void (*accumulate)(const float* x, float* y, size_t count);  // y += x
};
