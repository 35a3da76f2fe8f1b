// Reads the shape arguments of kernels with broadcasting or strides, and checks that every element they reach lies inside its array.
#pragma once

#include "arguments.h"
#include "simd/tensor/elementwise.h"

inline bool shapeError(const Napi::CallbackInfo& info, const char* message) {
  Napi::RangeError::New(info.Env(), message).ThrowAsJavaScriptException();
  return false;
}

// Elements that strides reach over sizes, or -1 when a number is out of range. Strides are >= 0 here.
inline int64_t extent(const int64_t* size, const int64_t* stride, int rank) {
  double last = 0;
  for (int d = 0; d < rank; d++) {
    if (size[d] == 0) return 0;
    if (stride[d] < 0) return -1;
    last += double(size[d] - 1) * double(stride[d]);
  }
  return last > 9e15 ? -1 : static_cast<int64_t>(last) + 1;
}

// The argument is a Float64Array [rank, sizes…, strides of a…, strides of b…(, strides of c…)].
inline bool readBroadcast(const Napi::CallbackInfo& info, size_t i, int inputs, Broadcast& s, size_t& count, int64_t* reach) {
  const double* v = elements<double>(info, i, 1);
  if (!v) return false;
  s.rank = static_cast<int>(v[0]);
  if (!(s.rank >= 1 && s.rank <= 6)) return shapeError(info, "broadcast: rank must be 1 to 6");
  if (!elements<double>(info, i, 1 + static_cast<size_t>(s.rank) * (1 + inputs))) return false;
  double product = 1;
  int64_t* strides[3] = {s.a, s.b, s.c};
  for (int d = 0; d < s.rank; d++) {
    s.size[d] = static_cast<int64_t>(v[1 + d]);
    if (!(v[1 + d] >= 0)) return shapeError(info, "broadcast: sizes must be >= 0");
    product *= v[1 + d];
    s.a[d] = s.b[d] = s.c[d] = 0;
    for (int k = 0; k < inputs; k++) strides[k][d] = static_cast<int64_t>(v[1 + s.rank * (1 + k) + d]);
  }
  if (!(product <= 9e15)) return shapeError(info, "broadcast: the result is too large");
  count = static_cast<size_t>(product);
  for (int k = 0; k < inputs; k++) {
    reach[k] = extent(s.size, strides[k], s.rank);
    if (reach[k] < 0) return shapeError(info, "broadcast: strides must be >= 0");
  }
  return true;
}
