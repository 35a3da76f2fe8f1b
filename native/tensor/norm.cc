#include "simd/tensor/norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "arguments.h"
#include "families.h"
#include "isa.h"
#include "parallel.h"
#include "shapes.h"
#include "simd/tensor/conv.h"

VOX_DECLARE(NormTable, normTable)

namespace {

struct Sizes {
  int64_t segments, rows, channels, sets;
  size_t count() const { return static_cast<size_t>(segments) * rows * channels; }
};

bool sizes(const Napi::CallbackInfo& info, size_t i, Sizes& s) {
  const double a = number(info, i), b = number(info, i + 1), c = number(info, i + 2), d = number(info, i + 3);
  if (!(a >= 0 && b >= 0 && c >= 1 && c <= 65536 && d >= 1 && d <= c && a * b * c < 9e15)) return rangeError(info, "norm: sizes are out of range");
  s = {static_cast<int64_t>(a), static_cast<int64_t>(b), static_cast<int64_t>(c), static_cast<int64_t>(d)};
  if (s.channels % s.sets != 0) return rangeError(info, "norm: groups must divide the channels");
  return true;
}

// Rows per chunk: a chunk stays in the first-level cache between the two passes over it. Chunks do not depend on the number of threads.
int64_t chunkRows(int64_t channels) { return std::max<int64_t>(16, 8192 / channels); }

// Calls body(segment, first row, rows, index of the chunk) for every chunk.
template <class Body>
void forChunks(const Sizes& s, const Body& body) {
  const int64_t step = chunkRows(s.channels), perSegment = (s.rows + step - 1) / step;
  parallelFor(s.segments * perSegment, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; i++) {
      const int64_t first = i % perSegment * step;
      body(static_cast<int64_t>(i / perSegment), first, std::min(step, s.rows - first), i);
    }
  });
}

std::vector<float> spread(const float* perChannel, int64_t channels, int64_t period) {
  std::vector<float> v(period);
  for (int64_t i = 0; i < period; i++) v[i] = perChannel[i % channels];
  return v;
}

// Per segment and channel: scale and shift, spread over a period.
struct Coefficients {
  std::vector<float> scale, shift;
};

Coefficients coefficients(const Sizes& s, int64_t period, const float* mean, const float* variance, const float* gamma, const float* beta, float epsilon) {
  Coefficients k;
  k.scale.resize(s.segments * period);
  k.shift.resize(s.segments * period);
  const int64_t width = s.channels / s.sets;
  for (int64_t n = 0; n < s.segments; n++) {
    for (int64_t i = 0; i < period; i++) {
      const int64_t c = i % s.channels, set = n * s.sets + c / width;
      const float scale = gamma[c] / std::sqrt(variance[set] + epsilon);
      k.scale[n * period + i] = scale;
      k.shift[n * period + i] = beta[c] - mean[set] * scale;
    }
  }
  return k;
}

// normForward(x, gamma, beta, y, mean, variance, segments, rows, channels, sets, epsilon, activation, alpha, given): statistics are computed unless given.
void forward(const Napi::CallbackInfo& info) {
  Sizes s;
  if (!sizes(info, 6, s)) return;
  const size_t sets = s.segments * s.sets;
  const float* x = elements<float>(info, 0, s.count());
  const float* gamma = x ? elements<float>(info, 1, s.channels) : nullptr;
  const float* beta = gamma ? elements<float>(info, 2, s.channels) : nullptr;
  float* y = beta ? elements<float>(info, 3, s.count()) : nullptr;
  float* mean = y ? elements<float>(info, 4, sets) : nullptr;
  float* variance = mean ? elements<float>(info, 5, sets) : nullptr;
  if (!variance) return;
  const float epsilon = static_cast<float>(number(info, 10)), alpha = static_cast<float>(number(info, 12));
  const int activation = static_cast<int>(integer(info, 11));
  const NormTable& table = VOX_SELECT(normTable);
  const int64_t period = table.period(s.channels);
  if (integer(info, 13) == 0) {
    const int64_t step = chunkRows(s.channels), perSegment = (s.rows + step - 1) / step;
    std::vector<float> means(s.segments * perSegment * s.channels), deviations(means.size());
    forChunks(s, [&](int64_t n, int64_t first, int64_t rows, size_t i) {
      thread_local std::vector<float> work;
      work.resize(2 * period);
      table.moments(x + (n * s.rows + first) * s.channels, rows, s.channels, &means[i * s.channels], &deviations[i * s.channels], work.data());
    });
    // Chan et al. 1979: mean and deviation of parts join exactly.
    const int64_t width = s.channels / s.sets;
    for (size_t set = 0; set < sets; set++) {
      const int64_t n = set / s.sets, first = set % s.sets * width;
      double count = 0, m = 0, deviation = 0;
      for (int64_t part = 0; part < perSegment; part++) {
        const double rows = static_cast<double>(std::min(step, s.rows - part * step));
        for (int64_t c = first; c < first + width; c++) {
          const size_t i = (n * perSegment + part) * s.channels + c;
          const double delta = means[i] - m, total = count + rows;
          m += delta * rows / total;
          deviation += deviations[i] + delta * delta * count * rows / total;
          count = total;
        }
      }
      mean[set] = static_cast<float>(m);
      variance[set] = static_cast<float>(count > 0 ? deviation / count : 0);
    }
  }
  const Coefficients k = coefficients(s, period, mean, variance, gamma, beta, epsilon);
  forChunks(s, [&](int64_t n, int64_t first, int64_t rows, size_t) {
    const size_t at = (n * s.rows + first) * s.channels;
    table.apply(x + at, y + at, rows * s.channels, period, &k.scale[n * period], &k.shift[n * period], activation, alpha);
  });
}

// normGrad(x, dy, gamma, beta, mean, variance, dx, dgamma, dbeta, segments, rows, channels, sets, epsilon, activation, alpha, given): with given statistics
// (prediction mode) they are constants.
void grad(const Napi::CallbackInfo& info) {
  Sizes s;
  if (!sizes(info, 9, s)) return;
  const size_t sets = s.segments * s.sets;
  const float* x = elements<float>(info, 0, s.count());
  const float* dy = x ? elements<float>(info, 1, s.count()) : nullptr;
  const float* gamma = dy ? elements<float>(info, 2, s.channels) : nullptr;
  const float* beta = gamma ? elements<float>(info, 3, s.channels) : nullptr;
  const float* mean = beta ? elements<float>(info, 4, sets) : nullptr;
  const float* variance = mean ? elements<float>(info, 5, sets) : nullptr;
  float* dx = variance ? elements<float>(info, 6, s.count()) : nullptr;
  float* dgamma = dx ? elements<float>(info, 7, s.channels) : nullptr;
  float* dbeta = dgamma ? elements<float>(info, 8, s.channels) : nullptr;
  if (!dbeta) return;
  const float epsilon = static_cast<float>(number(info, 13)), alpha = static_cast<float>(number(info, 15));
  const int activation = static_cast<int>(integer(info, 14));
  const bool given = integer(info, 16) != 0;
  const NormTable& table = VOX_SELECT(normTable);
  const int64_t period = table.period(s.channels), width = s.channels / s.sets;
  const Coefficients k = coefficients(s, period, mean, variance, gamma, beta, epsilon);
  const int64_t step = chunkRows(s.channels), perSegment = (s.rows + step - 1) / step;
  std::vector<float> sums(s.segments * perSegment * s.channels), products(sums.size());
  forChunks(s, [&](int64_t n, int64_t first, int64_t rows, size_t i) {
    thread_local std::vector<float> work;
    work.resize(2 * period);
    const size_t at = (n * s.rows + first) * s.channels;
    table.gradSums(x + at, dy + at, rows, s.channels, &k.scale[n * period], &k.shift[n * period], activation, alpha, &sums[i * s.channels],
                   &products[i * s.channels], work.data());
  });
  std::vector<float> k1(s.segments * period), k2(k1.size()), k3(k1.size());
  std::vector<double> gammaSum(s.channels), betaSum(s.channels), sum(s.channels), scaled(s.channels);
  for (int64_t n = 0; n < s.segments; n++) {
    for (int64_t c = 0; c < s.channels; c++) {
      double a = 0, b = 0;
      for (int64_t part = 0; part < perSegment; part++) {
        a += sums[(n * perSegment + part) * s.channels + c];
        b += products[(n * perSegment + part) * s.channels + c];
      }
      const int64_t set = n * s.sets + c / width;
      const double inverse = 1.0 / std::sqrt(double(variance[set]) + epsilon);
      sum[c] = a;
      scaled[c] = (b - mean[set] * a) * inverse;  // sum of g times the normalized value
      betaSum[c] += a;
      gammaSum[c] += scaled[c];
    }
    for (int64_t i = 0; i < period; i++) {
      const int64_t c = i % s.channels, set = n * s.sets + c / width, first = c / width * width;
      const double inverse = 1.0 / std::sqrt(double(variance[set]) + epsilon);
      double a = 0, b = 0;
      if (!given) {
        for (int64_t j = first; j < first + width; j++) {
          a += gamma[j] * sum[j];
          b += gamma[j] * scaled[j];
        }
        const double count = double(s.rows) * width;
        a /= count;
        b /= count;
      }
      k1[n * period + i] = static_cast<float>(gamma[c] * inverse);
      k2[n * period + i] = static_cast<float>(-inverse * inverse * b);
      k3[n * period + i] = static_cast<float>(inverse * (mean[set] * inverse * b - a));
    }
  }
  for (int64_t c = 0; c < s.channels; c++) {
    dgamma[c] = static_cast<float>(gammaSum[c]);
    dbeta[c] = static_cast<float>(betaSum[c]);
  }
  forChunks(s, [&](int64_t n, int64_t first, int64_t rows, size_t) {
    const size_t at = (n * s.rows + first) * s.channels;
    table.gradApply(x + at, dy + at, dx + at, rows * s.channels, period, &k.scale[n * period], &k.shift[n * period], &k1[n * period], &k2[n * period],
                    &k3[n * period], activation, alpha);
  });
}

// biasGrad(dy, y | null, g | null, dbias, rows, channels, activation, alpha): g = dy * activation'(y) when there is an activation.
void biasGrad(const Napi::CallbackInfo& info) {
  const double r = number(info, 4), ch = number(info, 5);
  if (!(r >= 0 && ch >= 1 && ch <= 65536 && r * ch < 9e15)) return static_cast<void>(rangeError(info, "biasGrad: sizes are out of range"));
  const Sizes s = {1, static_cast<int64_t>(r), static_cast<int64_t>(ch), 1};
  const int activation = static_cast<int>(integer(info, 6));
  const float alpha = static_cast<float>(number(info, 7));
  const float* dy = elements<float>(info, 0, s.count());
  float* dbias = dy ? elements<float>(info, 3, s.channels) : nullptr;
  if (!dbias) return;
  const float* y = nullptr;
  float* g = nullptr;
  if (activation != kLinear) {
    y = elements<float>(info, 1, s.count());
    g = y ? elements<float>(info, 2, s.count()) : nullptr;
    if (!g) return;
  }
  const NormTable& table = VOX_SELECT(normTable);
  const int64_t period = table.period(s.channels), step = chunkRows(s.channels), parts = (s.rows + step - 1) / step;
  std::vector<float> sums(parts * s.channels);
  forChunks(s, [&](int64_t, int64_t first, int64_t rows, size_t i) {
    thread_local std::vector<float> work;
    work.resize(period);
    const size_t at = first * s.channels;
    table.biasGrad(dy + at, y ? y + at : nullptr, g ? g + at : nullptr, rows, s.channels, activation, alpha, &sums[i * s.channels], work.data());
  });
  for (int64_t c = 0; c < s.channels; c++) {
    double total = 0;
    for (int64_t part = 0; part < parts; part++) total += sums[part * s.channels + c];
    dbias[c] = static_cast<float>(total);
  }
}

}  // namespace

void registerNorm(Napi::Env env, Napi::Object exports) {
  exports.Set("normForward", Napi::Function::New(env, forward));
  exports.Set("normGrad", Napi::Function::New(env, grad));
  exports.Set("biasGrad", Napi::Function::New(env, biasGrad));
}
