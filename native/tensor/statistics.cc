#include "simd/tensor/statistics.h"

#include <algorithm>
#include <vector>

#include "arguments.h"
#include "families.h"
#include "isa.h"
#include "parallel.h"
#include "shapes.h"

VOX_DECLARE(StatisticsTable, statisticsTable)

namespace {

struct Sizes {
  int64_t batch, rows, channels;
  size_t voxels() const { return static_cast<size_t>(batch) * rows; }
};

bool sizes(const Napi::CallbackInfo& info, size_t i, Sizes& s) {
  const double a = number(info, i), b = number(info, i + 1), c = number(info, i + 2);
  if (!(a >= 0 && b >= 0 && c >= 1 && c <= 256 && a * b * c < 9e15)) return rangeError(info, "softmaxStatistics: 1 to 256 classes");
  s = {static_cast<int64_t>(a), static_cast<int64_t>(b), static_cast<int64_t>(c)};
  return true;
}

constexpr int64_t kRows = 4096;

// softmaxStatistics(logits, labels, sums: Float32Array [4][batch][channels], batch, rows, channels)
void statistics(const Napi::CallbackInfo& info) {
  Sizes s;
  if (!sizes(info, 3, s)) return;
  const float* logits = elements<float>(info, 0, s.voxels() * s.channels);
  const int32_t* labels = logits ? elements<int32_t>(info, 1, s.voxels()) : nullptr;
  const size_t perKind = s.batch * s.channels;
  float* result = labels ? elements<float>(info, 2, 4 * perKind) : nullptr;
  if (!result) return;
  const StatisticsTable& table = VOX_SELECT(statisticsTable);
  const int64_t parts = (s.rows + kRows - 1) / kRows;
  std::vector<double> partial(s.batch * parts * 4 * s.channels);
  parallelFor(s.batch * parts, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; i++) {
      const int64_t first = i % parts * kRows, at = i / parts * s.rows + first;
      double* to = &partial[i * 4 * s.channels];
      table.sums(logits + at * s.channels, labels + at, std::min(kRows, s.rows - first), s.channels, to, to + s.channels, to + 2 * s.channels,
                 to + 3 * s.channels);
    }
  });
  for (int64_t n = 0; n < s.batch; n++) {
    for (int64_t kind = 0; kind < 4; kind++) {
      for (int64_t c = 0; c < s.channels; c++) {
        double sum = 0;
        for (int64_t part = 0; part < parts; part++) sum += partial[((n * parts + part) * 4 + kind) * s.channels + c];
        result[kind * perKind + n * s.channels + c] = static_cast<float>(sum);
      }
    }
  }
}

// softmaxStatisticsGrad(logits, labels, dx, overlap, predicted, surprise: [batch][channels] each, batch, rows, channels)
void grad(const Napi::CallbackInfo& info) {
  Sizes s;
  if (!sizes(info, 6, s)) return;
  const float* logits = elements<float>(info, 0, s.voxels() * s.channels);
  const int32_t* labels = logits ? elements<int32_t>(info, 1, s.voxels()) : nullptr;
  float* dx = labels ? elements<float>(info, 2, s.voxels() * s.channels) : nullptr;
  const size_t perKind = s.batch * s.channels;
  const float* overlap = dx ? elements<float>(info, 3, perKind) : nullptr;
  const float* predicted = overlap ? elements<float>(info, 4, perKind) : nullptr;
  const float* surprise = predicted ? elements<float>(info, 5, perKind) : nullptr;
  if (!surprise) return;
  const StatisticsTable& table = VOX_SELECT(statisticsTable);
  const int64_t parts = (s.rows + kRows - 1) / kRows;
  parallelFor(s.batch * parts, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; i++) {
      const int64_t n = i / parts, first = i % parts * kRows, at = n * s.rows + first;
      table.grad(logits + at * s.channels, labels + at, dx + at * s.channels, std::min(kRows, s.rows - first), s.channels, overlap + n * s.channels,
                 predicted + n * s.channels, surprise + n * s.channels);
    }
  });
}

}  // namespace

void registerStatistics(Napi::Env env, Napi::Object exports) {
  exports.Set("softmaxStatistics", Napi::Function::New(env, statistics));
  exports.Set("softmaxStatisticsGrad", Napi::Function::New(env, grad));
}
