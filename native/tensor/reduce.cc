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

struct Sizes {
  int64_t outer, count, inner;
};

bool sizes(const Napi::CallbackInfo& info, size_t i, Sizes& s) {
  const double o = number(info, i), n = number(info, i + 1), c = number(info, i + 2);
  if (!(o >= 0 && n >= 0 && c >= 0 && o * n * c < 9e15 && o * c < 9e15)) return shapeError(info, "reduce: sizes must be >= 0");
  s = {static_cast<int64_t>(o), static_cast<int64_t>(n), static_cast<int64_t>(c)};
  return true;
}

// reduce(op, x, y, outer, count, inner)
void reduce(const Napi::CallbackInfo& info) {
  const int op = static_cast<int>(integer(info, 0));
  if (op < 0 || op >= kReduceCount) return static_cast<void>(shapeError(info, "reduce: unknown operation"));
  Sizes s;
  if (!sizes(info, 3, s)) return;
  const float* x = elements<float>(info, 1, s.outer * s.count * s.inner);
  float* y = x ? elements<float>(info, 2, s.outer * s.inner) : nullptr;
  if (!y) return;
  const ReduceTable& table = VOX_SELECT(reduceTable);
  if (s.outer * s.inner == 0) return;
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
  std::vector<float> partial(parts * s.outer * s.inner);
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
  Sizes s;
  if (!sizes(info, 2, s)) return;
  const float* x = elements<float>(info, 0, s.outer * s.count * s.inner);
  int32_t* y = x ? elements<int32_t>(info, 1, s.outer * s.inner) : nullptr;
  if (!y) return;
  if (s.count == 0) return static_cast<void>(shapeError(info, "argMax: the reduced dimension must not be empty"));
  const ReduceTable& table = VOX_SELECT(reduceTable);
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, s.count * s.inner));
  parallelFor((s.outer + grain - 1) / grain, [&](size_t begin, size_t end, int) {
    table.argMax(x, s.count, s.inner, begin * grain, std::min<int64_t>(s.outer, end * grain), y);
  });
}

// softmax(x, y, rows, channels, logarithm)
void softmax(const Napi::CallbackInfo& info) {
  const double rows = number(info, 2), channels = number(info, 3);
  if (!(rows >= 0 && channels >= 1 && rows * channels < 9e15)) return static_cast<void>(shapeError(info, "softmax: sizes must be positive"));
  const int64_t n = static_cast<int64_t>(rows), c = static_cast<int64_t>(channels);
  const float* x = elements<float>(info, 0, n * c);
  float* y = x ? elements<float>(info, 1, n * c) : nullptr;
  if (!y) return;
  const int logarithm = static_cast<int>(integer(info, 4));
  const ReduceTable& table = VOX_SELECT(reduceTable);
  const int64_t grain = std::max<int64_t>(1, 4096 / c);
  parallelFor((n + grain - 1) / grain, [&](size_t begin, size_t end, int) { table.softmax(x, y, c, begin * grain, std::min<int64_t>(n, end * grain), logarithm); });
}

// softmaxGrad(dy, y, dx, rows, channels, logarithm)
void softmaxGrad(const Napi::CallbackInfo& info) {
  const double rows = number(info, 3), channels = number(info, 4);
  if (!(rows >= 0 && channels >= 1 && rows * channels < 9e15)) return static_cast<void>(shapeError(info, "softmaxGrad: sizes must be positive"));
  const int64_t n = static_cast<int64_t>(rows), c = static_cast<int64_t>(channels);
  const float* dy = elements<float>(info, 0, n * c);
  const float* y = dy ? elements<float>(info, 1, n * c) : nullptr;
  float* dx = y ? elements<float>(info, 2, n * c) : nullptr;
  if (!dx) return;
  const int logarithm = static_cast<int>(integer(info, 5));
  const ReduceTable& table = VOX_SELECT(reduceTable);
  const int64_t grain = std::max<int64_t>(1, 4096 / c);
  parallelFor((n + grain - 1) / grain,
              [&](size_t begin, size_t end, int) { table.softmaxGrad(dy, y, dx, c, begin * grain, std::min<int64_t>(n, end * grain), logarithm); });
}

}  // namespace

void registerReduce(Napi::Env env, Napi::Object exports) {
  exports.Set("reduce", Napi::Function::New(env, reduce));
  exports.Set("argMax", Napi::Function::New(env, argMax));
  exports.Set("softmax", Napi::Function::New(env, softmax));
  exports.Set("softmaxGrad", Napi::Function::New(env, softmaxGrad));
}
