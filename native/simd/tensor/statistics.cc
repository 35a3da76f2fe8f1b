#include "statistics.h"

#include "math.h"
#include "simd/vector.h"

namespace VOX_NS {

constexpr int VL = kFloats;
constexpr int64_t kBlock = 256;
constexpr int64_t kChannels = 64;  // channels that one block holds; callers cut rows so that a block fits

// p = exp(logits - top) with its sums; n rows.
static void exponentials(const float* x, int64_t n, int64_t channels, float* p, float* top, float* total) {
  for (int64_t r = 0; r < n; r++) {
    float t = x[r * channels];
    for (int64_t c = 1; c < channels; c++) t = x[r * channels + c] > t ? x[r * channels + c] : t;
    top[r] = t;
    for (int64_t c = 0; c < channels; c++) p[r * channels + c] = x[r * channels + c] - t;
  }
  mapVectors(p, p, n * channels, [](vfloat v) { return vexp(v); });
  for (int64_t r = 0; r < n; r++) {
    float sum = 0;
    for (int64_t c = 0; c < channels; c++) sum += p[r * channels + c];
    total[r] = sum;
  }
}

static int64_t blockRows(int64_t channels) {
  const int64_t n = kBlock * kChannels / channels;
  return n < 1 ? 1 : n < kBlock ? n : kBlock;
}

static void sums(const float* logits, const int32_t* labels, int64_t rows, int64_t channels, double* overlap, double* predicted, double* actual,
                 double* surprise) {
  float p[kBlock * kChannels], top[kBlock], total[kBlock + VL], logTotal[kBlock + VL];
  const int64_t block = blockRows(channels);
  for (int64_t begin = 0; begin < rows; begin += block) {
    const int64_t n = rows - begin < block ? rows - begin : block;
    const float* x = logits + begin * channels;
    exponentials(x, n, channels, p, top, total);
    for (int64_t r = n; r < n + VL; r++) total[r] = 1;
    for (int64_t r = 0; r < n; r += VL) store(logTotal + r, vlog(load(total + r)));
    float blockPredicted[kBlock * kChannels / 64];  // 256 classes at most
    for (int64_t c = 0; c < channels; c++) blockPredicted[c] = 0;
    for (int64_t r = 0; r < n; r++) {
      const float scale = 1.f / total[r];
      for (int64_t c = 0; c < channels; c++) blockPredicted[c] += p[r * channels + c] * scale;
      const int32_t t = labels[begin + r];
      if (t < 0 || t >= channels) continue;
      overlap[t] += p[r * channels + t] * scale;
      actual[t] += 1;
      surprise[t] += top[r] + logTotal[r] - x[r * channels + t];
    }
    for (int64_t c = 0; c < channels; c++) predicted[c] += blockPredicted[c];
  }
}

static void grad(const float* logits, const int32_t* labels, float* dx, int64_t rows, int64_t channels, const float* overlap, const float* predicted,
                 const float* surprise) {
  float p[kBlock * kChannels], top[kBlock], total[kBlock];
  const int64_t block = blockRows(channels);
  for (int64_t begin = 0; begin < rows; begin += block) {
    const int64_t n = rows - begin < block ? rows - begin : block;
    exponentials(logits + begin * channels, n, channels, p, top, total);
    for (int64_t r = 0; r < n; r++) {
      const float scale = 1.f / total[r];
      const float* q = p + r * channels;
      float* d = dx + (begin + r) * channels;
      const int32_t t = labels[begin + r];
      const bool known = t >= 0 && t < channels;
      float mean = 0;
      for (int64_t c = 0; c < channels; c++) mean += q[c] * scale * predicted[c];
      if (known) mean += q[t] * scale * overlap[t];
      const float weight = known ? surprise[t] : 0;
      for (int64_t c = 0; c < channels; c++) d[c] = q[c] * scale * (predicted[c] - mean + weight);
      if (known) d[t] += q[t] * scale * overlap[t] - weight;
    }
  }
}

const StatisticsTable& statisticsTable() {
  static const StatisticsTable table = {sums, grad};
  return table;
}

}  // namespace VOX_NS
