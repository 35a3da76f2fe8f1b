// Copies between strided views: slice, pad, concat, split, transpose, reverse, tile and broadcast are all this one function.
#include <algorithm>
#include <cstring>

#include "arguments.h"
#include "families.h"
#include "parallel.h"
#include "shapes.h"

namespace {

struct View {
  int rank;
  int64_t size[8], from[8], to[8];
  int64_t fromStart, toStart;
};

template <class T>
void copyRows(const View& v, const T* source, T* target, size_t begin, size_t end) {
  const int outer = v.rank - 1;
  const int64_t count = v.size[outer], from = v.from[outer], to = v.to[outer];
  int64_t index[8];
  const T* p = source + v.fromStart;
  T* q = target + v.toStart;
  size_t rest = begin;
  for (int d = outer - 1; d >= 0; d--) {
    index[d] = rest % v.size[d];
    rest /= v.size[d];
    p += index[d] * v.from[d];
    q += index[d] * v.to[d];
  }
  for (size_t row = begin; row < end; row++) {
    if (from == 1 && to == 1) {
      std::memcpy(q, p, count * sizeof(T));
    } else if (from == 0 && to == 1) {
      for (int64_t i = 0; i < count; i++) q[i] = *p;
    } else {
      for (int64_t i = 0; i < count; i++) q[i * to] = p[i * from];
    }
    for (int d = outer - 1; d >= 0; d--) {
      p += v.from[d];
      q += v.to[d];
      if (++index[d] < v.size[d]) break;
      index[d] = 0;
      p -= v.from[d] * v.size[d];
      q -= v.to[d] * v.size[d];
    }
  }
}

// First and last element that a view reaches must lie in [0, length).
bool inside(int64_t start, const int64_t* size, const int64_t* stride, int rank, size_t length) {
  double low = double(start), high = double(start);
  for (int d = 0; d < rank; d++) (stride[d] < 0 ? low : high) += double(size[d] - 1) * double(stride[d]);
  return low >= 0 && high < double(length);
}

template <class T>
void copyTyped(const Napi::CallbackInfo& info, const View& v, size_t count) {
  const T* source = elements<T>(info, 0, 0);
  T* target = source || info[0].As<Napi::TypedArray>().ElementLength() == 0 ? elements<T>(info, 1, 0) : nullptr;
  if (!target) return;
  if (!inside(v.fromStart, v.size, v.from, v.rank, info[0].As<Napi::TypedArray>().ElementLength()) ||
      !inside(v.toStart, v.size, v.to, v.rank, info[1].As<Napi::TypedArray>().ElementLength())) {
    return static_cast<void>(rangeError(info, "stridedCopy: the view leaves its array"));
  }
  const size_t rows = count / v.size[v.rank - 1];
  if (count < 32768) return copyRows(v, source, target, 0, rows);
  parallelFor(rows, [&](size_t begin, size_t end, int) { copyRows(v, source, target, begin, end); });
}

// stridedCopy(source, target, view: Float64Array [rank, source start, target start, sizes…, source strides…, target strides…])
void stridedCopy(const Napi::CallbackInfo& info) {
  const double* a = elements<double>(info, 2, 3);
  if (!a) return;
  View v;
  v.rank = static_cast<int>(a[0]);
  if (!(v.rank >= 1 && v.rank <= 8)) return static_cast<void>(rangeError(info, "stridedCopy: rank must be 1 to 8"));
  if (!elements<double>(info, 2, 3 + 3 * static_cast<size_t>(v.rank))) return;
  v.fromStart = static_cast<int64_t>(a[1]);
  v.toStart = static_cast<int64_t>(a[2]);
  double count = 1;
  for (int d = 0; d < v.rank; d++) {
    v.size[d] = static_cast<int64_t>(a[3 + d]);
    v.from[d] = static_cast<int64_t>(a[3 + v.rank + d]);
    v.to[d] = static_cast<int64_t>(a[3 + 2 * v.rank + d]);
    if (v.size[d] < 0) return static_cast<void>(rangeError(info, "stridedCopy: sizes must be >= 0"));
    count *= double(v.size[d]);
  }
  if (count == 0) return;
  if (!info[0].IsTypedArray() || !info[1].IsTypedArray()) return static_cast<void>(rangeError(info, "stridedCopy: source and target must be typed arrays"));
  if (info[0].As<Napi::TypedArray>().ElementSize() == 1) return copyTyped<uint8_t>(info, v, static_cast<size_t>(count));
  copyTyped<uint32_t>(info, v, static_cast<size_t>(count));
}

}  // namespace

void registerLayout(Napi::Env env, Napi::Object exports) { exports.Set("stridedCopy", Napi::Function::New(env, stridedCopy)); }
