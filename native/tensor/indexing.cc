// Reads and writes by index, and from one type to another: gather, sums by segment, one-hot, extreme index, cast. All are bound by memory.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "arguments.h"
#include "elementwise-pieces.h"
#include "families.h"
#include "parallel.h"
#include "shapes.h"

namespace {

bool inRange(const Napi::CallbackInfo& info, const int32_t* indices, int64_t count, int64_t size) {
  for (int64_t i = 0; i < count; i++) {
    if (indices[i] < 0 || indices[i] >= size) return rangeError(info, "indexing: an index is outside the axis");
  }
  return true;
}

template <class T>
void gatherTyped(const Napi::CallbackInfo& info, const AxisMap& b) {
  const T* x = elements<T>(info, 0, b.outer * b.in * b.inner);
  T* y = x ? elements<T>(info, 1, b.outer * b.out * b.inner) : nullptr;
  const int32_t* indices = y ? elements<int32_t>(info, 6, b.out) : nullptr;
  if (!indices || !inRange(info, indices, b.out, b.in) || b.inner == 0) return;
  const int64_t grain = std::max<int64_t>(1, 16384 / b.inner);
  const int64_t rows = b.outer * b.out;
  parallelFor((rows + grain - 1) / grain, [&](size_t begin, size_t end, int) {
    for (int64_t row = begin * grain; row < std::min<int64_t>(rows, end * grain); row++) {
      const T* from = x + (row / b.out * b.in + indices[row % b.out]) * b.inner;
      if (b.inner == 1) y[row] = *from;
      else std::memcpy(y + row * b.inner, from, b.inner * sizeof(T));
    }
  });
}

// gatherAxis(x, y, outer, in, out, inner, indices: Int32Array): y[o][i][:] = x[o][indices[i]][:]
void gatherAxis(const Napi::CallbackInfo& info) {
  AxisMap b;
  if (!readAxisMap(info, 2, "gatherAxis", b)) return;
  if (info.Length() > 0 && info[0].IsTypedArray() && info[0].As<Napi::TypedArray>().ElementSize() == 1) return gatherTyped<uint8_t>(info, b);
  gatherTyped<uint32_t>(info, b);
}

// segmentSum(x, y, rows, segments, inner, ids: Int32Array): y[s][:] = sum of the x[i][:] with ids[i] = s, in their order. Rows of other ids count nowhere.
void segmentSum(const Napi::CallbackInfo& info) {
  const double r = number(info, 2), s = number(info, 3), k = number(info, 4);
  if (!(r >= 0 && s >= 0 && k >= 0 && r * k < 9e15 && s * k < 9e15)) return static_cast<void>(rangeError(info, "segmentSum: sizes must be >= 0"));
  const AxisMap b = {1, static_cast<int64_t>(r), static_cast<int64_t>(s), static_cast<int64_t>(k)};
  const float* x = elements<float>(info, 0, b.in * b.inner);
  float* y = x ? elements<float>(info, 1, b.out * b.inner) : nullptr;
  const int32_t* ids = y ? elements<int32_t>(info, 5, b.in) : nullptr;
  if (!ids) return;
  std::memset(y, 0, b.out * b.inner * sizeof(float));
  // Threads share the columns, so each sum has one order.
  const int64_t width = std::max<int64_t>(16, (b.inner + 63) / 64);
  parallelFor((b.inner + width - 1) / width, [&](size_t begin, size_t end, int) {
    const int64_t first = begin * width, last = std::min<int64_t>(b.inner, end * width);
    for (int64_t i = 0; i < b.in; i++) {
      if (ids[i] < 0 || ids[i] >= b.out) continue;
      for (int64_t c = first; c < last; c++) y[ids[i] * b.inner + c] += x[i * b.inner + c];
    }
  });
}

template <class T>
void oneHotTyped(const int32_t* indices, T* y, int64_t count, int64_t depth, T on, T off) {
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, depth));
  parallelFor((count + grain - 1) / grain, [&](size_t begin, size_t end, int) {
    const int64_t first = begin * grain, last = std::min<int64_t>(count, end * grain);
    std::fill(y + first * depth, y + last * depth, off);
    for (int64_t i = first; i < last; i++) {
      if (indices[i] >= 0 && indices[i] < depth) y[i * depth + indices[i]] = on;
    }
  });
}

// oneHotIndices(indices: Int32Array, y: Float32Array | Int32Array, depth, on, off)
void oneHot(const Napi::CallbackInfo& info) {
  const int32_t* indices = elements<int32_t>(info, 0, 0);
  if (!indices) return;
  const double depth = number(info, 2);
  const int64_t count = info[0].As<Napi::TypedArray>().ElementLength();
  if (!(depth >= 0 && depth * count < 9e15)) return static_cast<void>(rangeError(info, "indexing: sizes must be >= 0"));
  const double on = number(info, 3), off = number(info, 4);
  float* y = elements<float>(info, 1, static_cast<size_t>(count * depth));
  if (!y) return;
  const int64_t classes = static_cast<int64_t>(depth);
  if (info[1].As<Napi::TypedArray>().TypedArrayType() == napi_float32_array) {
    return oneHotTyped<float>(indices, y, count, classes, static_cast<float>(on), static_cast<float>(off));
  }
  oneHotTyped<int32_t>(indices, reinterpret_cast<int32_t*>(y), count, classes, info[3].ToNumber().Int32Value(), info[4].ToNumber().Int32Value());
}

template <class T>
void argTyped(const T* x, int32_t* y, const Reduction& r, bool isMin) {
  const int64_t count = r.count, inner = r.inner;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, count * inner));
  parallelFor((r.outer + grain - 1) / grain, [&](size_t begin, size_t end, int) {
    for (int64_t o = begin * grain; o < std::min<int64_t>(r.outer, end * grain); o++) {
      for (int64_t c = 0; c < inner; c++) {
        const T* p = x + o * count * inner + c;
        int32_t best = 0;
        T value = *p;
        for (int64_t k = 1; k < count; k++) {
          const T other = p[k * inner];
          if (isMin ? other < value : other > value) {
            value = other;
            best = static_cast<int32_t>(k);
          }
        }
        y[o * inner + c] = best;
      }
    }
  });
}

// argBest(isMin, x: Float32Array | Int32Array, y: Int32Array, outer, count, inner): the first of equal ones
void argBest(const Napi::CallbackInfo& info) {
  Reduction r;
  if (!readReduction(info, 3, "argBest", r)) return;
  if (r.count < 1 || r.count > 2147483647) return static_cast<void>(rangeError(info, "argBest: the reduced dimension must not be empty, nor longer than 2^31 - 1"));
  const float* x = elements<float>(info, 1, r.size());
  int32_t* y = x ? elements<int32_t>(info, 2, r.kept()) : nullptr;
  if (!y) return;
  const bool isMin = integer(info, 0) != 0;
  if (info[1].As<Napi::TypedArray>().TypedArrayType() == napi_float32_array) argTyped(x, y, r, isMin);
  else argTyped(reinterpret_cast<const int32_t*>(x), y, r, isMin);
}

// As JavaScript stores a number in an Int32Array: truncated, modulo 2^32, zero when not finite.
int32_t toInteger(float v) {
  if (v > -2147483648.f && v < 2147483648.f) return static_cast<int32_t>(v);
  if (!std::isfinite(v)) return 0;
  return static_cast<int32_t>(static_cast<uint32_t>(static_cast<int64_t>(std::fmod(std::trunc(static_cast<double>(v)), 4294967296.0))));
}

template <class From, class To, class F>
void convert(const Napi::CallbackInfo& info, const F& f) {
  Mapped<From, To> m;
  if (!readMapped(info, 0, 1, m)) return;
  forElements(m.count, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) m.y[i] = f(m.x[i]);
  });
}

// castValues(x, y) between Float32Array, Int32Array and Uint8Array (of 0 and 1: what is not zero, NaN too, is 1)
void castValues(const Napi::CallbackInfo& info) {
  if (info.Length() < 2 || !info[0].IsTypedArray() || !info[1].IsTypedArray()) {
    return static_cast<void>(rangeError(info, "castValues: both arguments must be typed arrays"));
  }
  const auto from = info[0].As<Napi::TypedArray>().TypedArrayType(), to = info[1].As<Napi::TypedArray>().TypedArrayType();
  const auto known = [](napi_typedarray_type type) { return type == napi_float32_array || type == napi_int32_array || type == napi_uint8_array; };
  if (!known(from) || !known(to)) return static_cast<void>(rangeError(info, "castValues: types must be float32, int32 or uint8"));
  if (from == napi_float32_array) {
    if (to == napi_int32_array) return convert<float, int32_t>(info, toInteger);
    if (to == napi_uint8_array) return convert<float, uint8_t>(info, [](float v) -> uint8_t { return v != 0; });
    return convert<float, float>(info, [](float v) { return v; });
  }
  if (from == napi_int32_array) {
    if (to == napi_float32_array) return convert<int32_t, float>(info, [](int32_t v) { return static_cast<float>(v); });
    if (to == napi_uint8_array) return convert<int32_t, uint8_t>(info, [](int32_t v) -> uint8_t { return v != 0; });
    return convert<int32_t, int32_t>(info, [](int32_t v) { return v; });
  }
  if (to == napi_float32_array) return convert<uint8_t, float>(info, [](uint8_t v) { return static_cast<float>(v); });
  if (to == napi_int32_array) return convert<uint8_t, int32_t>(info, [](uint8_t v) -> int32_t { return v; });
  convert<uint8_t, uint8_t>(info, [](uint8_t v) -> uint8_t { return v != 0; });
}

}  // namespace

void registerIndexing(Napi::Env env, Napi::Object exports) {
  exports.Set("gatherAxis", Napi::Function::New(env, gatherAxis));
  exports.Set("segmentSum", Napi::Function::New(env, segmentSum));
  exports.Set("oneHotIndices", Napi::Function::New(env, oneHot));
  exports.Set("argBest", Napi::Function::New(env, argBest));
  exports.Set("castValues", Napi::Function::New(env, castValues));
}
