#include "simd/tensor/reduce.h"

#include <algorithm>
#include <vector>

#include "arguments.h"
#include "families.h"
#include "isa.h"
#include "parallel.h"
#include "shapes.h"

VOX_DECLARE(ReduceTable, reduceTable)

namespace {

// reduce(op, x, y, outer, count, inner)
void reduce(const Napi::CallbackInfo& info) {
  int op;
  Reduction s;
  if (!readOperation(info, kReduceCount, "reduce", op) || !readReduction(info, 3, "reduce", s)) return;
  const float* x = elements<float>(info, 1, s.size());
  float* y = x ? elements<float>(info, 2, s.kept()) : nullptr;
  if (!y) return;
  const ReduceTable& table = VOX_SELECT(reduceTable);
  if (s.kept() == 0) return;
  if (s.inner == 1 && s.outer > 1) {
    const size_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, s.count));
    return parallelFor((s.outer + grain - 1) / grain, [&](size_t begin, size_t end, int) {
      table.lines(op, x, s.count, begin * grain, std::min<int64_t>(s.outer, end * grain), y);
    });
  }
  // The cut into parts does not depend on the number of threads, and parts are joined in order: sums are the same for any number of threads.
  const int64_t grain = std::max<int64_t>(1, 32768 / s.inner);
  const int64_t parts = std::max<int64_t>(1, (s.count + grain - 1) / grain);
  if (parts == 1 && s.outer > 1) {
    const int64_t block = std::max<int64_t>(1, 32768 / std::max<int64_t>(1, s.count * s.inner));
    return parallelFor((s.outer + block - 1) / block, [&](size_t begin, size_t end, int) {
      for (int64_t o = begin * block; o < std::min<int64_t>(s.outer, end * block); o++) {
        table.rows(op, x + o * s.count * s.inner, s.inner, 0, s.count, y + o * s.inner);
      }
    });
  }
  std::vector<float> partial(parts * s.kept());
  parallelFor(parts * s.outer, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; i++) {
      const int64_t o = i / parts, part = i % parts;
      const float* from = x + o * s.count * s.inner;
      const int64_t first = part * grain, last = std::min(s.count, first + grain);
      if (s.inner == 1) table.lines(op, from + first, last - first, 0, 1, &partial[i]);
      else table.rows(op, from, s.inner, first, last, &partial[i * s.inner]);
    }
  });
  std::vector<double> sum(s.inner);
  for (int64_t o = 0; o < s.outer; o++) {
    float* to = y + o * s.inner;
    const float* from = &partial[o * parts * s.inner];
    if (op == kSum) {
      std::fill(sum.begin(), sum.end(), 0.0);
      for (int64_t part = 0; part < parts; part++)
        for (int64_t c = 0; c < s.inner; c++) sum[c] += from[part * s.inner + c];
      for (int64_t c = 0; c < s.inner; c++) to[c] = static_cast<float>(sum[c]);
    } else {
      std::copy(from, from + s.inner, to);
      for (int64_t part = 1; part < parts; part++) table.combine(op, from + part * s.inner, s.inner, to);
    }
  }
}

// argMax(x, y: Int32Array, outer, count, inner)
void argMax(const Napi::CallbackInfo& info) {
  Reduction s;
  if (!readReduction(info, 2, "argMax", s)) return;
  const float* x = elements<float>(info, 0, s.size());
  int32_t* y = x ? elements<int32_t>(info, 1, s.kept()) : nullptr;
  if (!y) return;
  if (s.count == 0) return static_cast<void>(rangeError(info, "argMax: the reduced dimension must not be empty"));
  const ReduceTable& table = VOX_SELECT(reduceTable);
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, s.count * s.inner));
  parallelFor((s.outer + grain - 1) / grain, [&](size_t begin, size_t end, int) {
    table.argMax(x, s.count, s.inner, begin * grain, std::min<int64_t>(s.outer, end * grain), y);
  });
}

// Rows and channels from argument i on.
bool readRows(const Napi::CallbackInfo& info, size_t i, int64_t& rows, int64_t& channels) {
  const double n = number(info, i), c = number(info, i + 1);
  if (!(n >= 0 && c >= 1 && n * c < 9e15)) return rangeError(info, "softmax: sizes must be positive");
  rows = static_cast<int64_t>(n);
  channels = static_cast<int64_t>(c);
  return true;
}

// Calls body(begin, end) for pieces of the rows.
template <class Body>
void forSoftmax(int64_t rows, int64_t channels, const Body& body) {
  const int64_t grain = std::max<int64_t>(1, 4096 / channels);
  parallelFor((rows + grain - 1) / grain, [&](size_t begin, size_t end, int) { body(begin * grain, std::min<int64_t>(rows, end * grain)); });
}

// softmax(x, y, rows, channels, logarithm)
void softmax(const Napi::CallbackInfo& info) {
  int64_t n, c;
  if (!readRows(info, 2, n, c)) return;
  const float* x = elements<float>(info, 0, n * c);
  float* y = x ? elements<float>(info, 1, n * c) : nullptr;
  if (!y) return;
  const int logarithm = static_cast<int>(integer(info, 4));
  const ReduceTable& table = VOX_SELECT(reduceTable);
  forSoftmax(n, c, [&](int64_t begin, int64_t end) { table.softmax(x, y, c, begin, end, logarithm); });
}

// softmaxGrad(dy, y, dx, rows, channels, logarithm)
void softmaxGrad(const Napi::CallbackInfo& info) {
  int64_t n, c;
  if (!readRows(info, 3, n, c)) return;
  const float* dy = elements<float>(info, 0, n * c);
  const float* y = dy ? elements<float>(info, 1, n * c) : nullptr;
  float* dx = y ? elements<float>(info, 2, n * c) : nullptr;
  if (!dx) return;
  const int logarithm = static_cast<int>(integer(info, 5));
  const ReduceTable& table = VOX_SELECT(reduceTable);
  forSoftmax(n, c, [&](int64_t begin, int64_t end) { table.softmaxGrad(dy, y, dx, c, begin, end, logarithm); });
}

}  // namespace

void registerReduce(Napi::Env env, Napi::Object exports) {
  exports.Set("reduce", Napi::Function::New(env, reduce));
  exports.Set("argMax", Napi::Function::New(env, argMax));
  exports.Set("softmax", Napi::Function::New(env, softmax));
  exports.Set("softmaxGrad", Napi::Function::New(env, softmaxGrad));
}
