// Reads the shape arguments of kernels with broadcasting or strides, and checks that every element they reach lies inside its array.
#pragma once

#include "arguments.h"
#include "simd/tensor/elementwise.h"

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
  if (!(s.rank >= 1 && s.rank <= 6)) return rangeError(info, "broadcast: rank must be 1 to 6");
  if (!elements<double>(info, i, 1 + static_cast<size_t>(s.rank) * (1 + inputs))) return false;
  double product = 1;
  int64_t* strides[3] = {s.a, s.b, s.c};
  for (int d = 0; d < s.rank; d++) {
    s.size[d] = static_cast<int64_t>(v[1 + d]);
    if (!(v[1 + d] >= 0)) return rangeError(info, "broadcast: sizes must be >= 0");
    product *= v[1 + d];
    s.a[d] = s.b[d] = s.c[d] = 0;
    for (int k = 0; k < inputs; k++) strides[k][d] = static_cast<int64_t>(v[1 + s.rank * (1 + k) + d]);
  }
  if (!(product <= 9e15)) return rangeError(info, "broadcast: the result is too large");
  count = static_cast<size_t>(product);
  for (int k = 0; k < inputs; k++) {
    reach[k] = extent(s.size, strides[k], s.rank);
    if (reach[k] < 0) return rangeError(info, "broadcast: strides must be >= 0");
  }
  return true;
}

// What a function of two broadcast inputs reads and writes.
template <class In, class Out>
struct Pair {
  Broadcast shape;
  const In* a = nullptr;
  const In* b = nullptr;
  Out* y = nullptr;
  size_t count = 0;
};

// Arguments (op, a, b, y, shape).
template <class In, class Out>
bool readPair(const Napi::CallbackInfo& info, Pair<In, Out>& p) {
  int64_t reach[3];
  if (!readBroadcast(info, 4, 2, p.shape, p.count, reach)) return false;
  p.a = elements<In>(info, 1, reach[0]);
  p.b = p.a ? elements<In>(info, 2, reach[1]) : nullptr;
  p.y = p.b ? elements<Out>(info, 3, p.count) : nullptr;
  return p.y != nullptr;
}

// The N whole numbers of a convolution's or a pooling's geometry.
template <int N>
bool readGeometry(const Napi::CallbackInfo& info, size_t i, const char* where, int64_t (&n)[N]) {
  const double* v = elements<double>(info, i, N);
  if (!v) return false;
  for (int k = 0; k < N; k++) {
    if (!(v[k] >= -1e6 && v[k] < 2147483648.0)) return rangeError(info, std::string(where) + ": a number of the geometry is out of range");
    n[k] = static_cast<int64_t>(v[k]);
  }
  return true;
}

// [outer, count, inner], reduced over count.
struct Reduction {
  int64_t outer, count, inner;
  int64_t size() const { return outer * count * inner; }
  int64_t kept() const { return outer * inner; }
};

// Three sizes from argument i on.
inline bool readReduction(const Napi::CallbackInfo& info, size_t i, const char* where, Reduction& r) {
  const double o = number(info, i), n = number(info, i + 1), c = number(info, i + 2);
  if (!(o >= 0 && n >= 0 && c >= 0 && o * n * c < 9e15 && o * c < 9e15)) return rangeError(info, std::string(where) + ": sizes must be >= 0");
  r = {static_cast<int64_t>(o), static_cast<int64_t>(n), static_cast<int64_t>(c)};
  return true;
}

// [outer, in, inner] → [outer, out, inner], along one axis.
struct AxisMap {
  int64_t outer, in, out, inner;
};

// Four sizes from argument i on.
inline bool readAxisMap(const Napi::CallbackInfo& info, size_t i, const char* where, AxisMap& m) {
  const double o = number(info, i), in = number(info, i + 1), out = number(info, i + 2), k = number(info, i + 3);
  if (!(o >= 0 && in >= 0 && out >= 0 && k >= 0 && o * in * k < 9e15 && o * out * k < 9e15 && in < 2147483648.0 && out < 2147483647.0)) {
    return rangeError(info, std::string(where) + ": sizes must be >= 0");
  }
  m = {static_cast<int64_t>(o), static_cast<int64_t>(in), static_cast<int64_t>(out), static_cast<int64_t>(k)};
  return true;
}
