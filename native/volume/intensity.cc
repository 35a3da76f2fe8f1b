#include "simd/volume/intensity.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "arguments.h"
#include "families.h"
#include "isa.h"

VOX_DECLARE(IntensityTable, intensityTable)

namespace {

// The interleaved channels of an array of `count` elements; 0 with a pending error when they do not divide it.
int channelsOf(const Napi::CallbackInfo& info, size_t i, size_t count) {
  const int64_t channels = integer(info, i);
  if (channels >= 1 && channels <= (1 << 20) && count % channels == 0) return static_cast<int>(channels);
  rangeError(info, "channels must divide the number of elements");
  return 0;
}

// What kernels with (input, output, channels) read and write.
struct Image : Mapped<float, float> {
  int channels = 0;
  size_t voxels() const { return count / channels; }
};

bool readImage(const Napi::CallbackInfo& info, Image& image) {
  if (!readMapped(info, 0, 1, image)) return false;
  image.channels = channelsOf(info, 2, image.count);
  return image.channels != 0;
}

// clip(input, output, min, max)
void clip(const Napi::CallbackInfo& info) {
  Mapped<float, float> m;
  if (!readMapped(info, 0, 1, m)) return;
  VOX_SELECT(intensityTable).clip(m.x, m.y, m.count, static_cast<float>(number(info, 2)), static_cast<float>(number(info, 3)));
}

template <class Label>
void labelledMoments(const float* input, const Label* labels, size_t voxels, int channels, float low, float high, int64_t label, ChannelMoments* result) {
  for (int c = 0; c < channels; c++) {
    ChannelMoments& r = result[c];
    r = {0, HUGE_VAL, -HUGE_VAL, 0, 0};
    // Welford's update would divide for every voxel: sums around the first value counted, combined per run of 4096 of them.
    double shift = 0, sum = 0, squares = 0, count = 0;
    const auto flush = [&] {
      if (count == 0) return;
      const double all = r.count + count, mean = shift + sum / count, difference = mean - r.mean;
      r.squares += squares - sum * sum / count + difference * difference * r.count * count / all;
      r.mean += difference * count / all;
      r.count = all;
      sum = squares = count = 0;
    };
    for (size_t v = 0; v < voxels; v++) {
      if (label < 0 ? labels[v] == 0 : labels[v] != label) continue;
      const float raw = input[v * channels + c];
      const double x = raw < low ? low : raw > high ? high : raw;
      if (count == 0) shift = x;
      r.min = x < r.min ? x : r.min;
      r.max = x > r.max ? x : r.max;
      sum += x - shift;
      squares += (x - shift) * (x - shift);
      if (++count == 4096) flush();
    }
    flush();
  }
}

// statistics(input, channels, low, high, labels | undefined, label) → Float64Array of count, min, max, mean, std per channel
Napi::Value statistics(const Napi::CallbackInfo& info) {
  const size_t count = elementCount(info, 0);
  const float* input = elements<float>(info, 0, count);
  if (!input) return info.Env().Undefined();
  const int channels = channelsOf(info, 1, count);
  if (!channels) return info.Env().Undefined();
  const size_t voxels = count / channels;
  const float low = static_cast<float>(number(info, 2)), high = static_cast<float>(number(info, 3));
  std::vector<ChannelMoments> result(channels);
  if (info[4].IsTypedArray()) {
    const int64_t label = integer(info, 5);
    if (info[4].As<Napi::TypedArray>().ElementSize() == 1) {
      const uint8_t* labels = elements<uint8_t>(info, 4, voxels);
      if (!labels) return info.Env().Undefined();
      labelledMoments(input, labels, voxels, channels, low, high, label, result.data());
    } else {
      const uint16_t* labels = elements<uint16_t>(info, 4, voxels);
      if (!labels) return info.Env().Undefined();
      labelledMoments(input, labels, voxels, channels, low, high, label, result.data());
    }
  } else {
    VOX_SELECT(intensityTable).moments(input, voxels, channels, low, high, result.data());
  }
  auto table = Napi::Float64Array::New(info.Env(), 5 * channels);
  double* flat = table.Data();
  for (int c = 0; c < channels; c++) {
    const ChannelMoments& r = result[c];
    flat[5 * c] = r.count;
    flat[5 * c + 1] = r.min;
    flat[5 * c + 2] = r.max;
    flat[5 * c + 3] = r.count > 0 ? r.mean : NAN;
    flat[5 * c + 4] = r.count > 0 ? std::sqrt(r.squares > 0 ? r.squares / r.count : 0) : NAN;
  }
  return table;
}

// affineIntensity(input, output, channels, terms, round)
void affineIntensity(const Napi::CallbackInfo& info) {
  Image image;
  if (!readImage(info, image)) return;
  const int channels = image.channels;
  const double* rows = elements<double>(info, 3, size_t{7} * channels);
  if (!rows) return;
  std::vector<float> terms(size_t{7} * channels);
  for (int i = 0; i < 7 * channels; i++) terms[i] = static_cast<float>(rows[i]);
  // What rounding takes from the shift goes into the offset.
  for (int c = 0; c < channels; c++) {
    terms[4 * channels + c] = static_cast<float>(rows[4 * channels + c] + (terms[2 * channels + c] - rows[2 * channels + c]) * rows[3 * channels + c]);
  }
  const float* t = terms.data();
  const AffineTerms table = {t, t + channels, t + 2 * channels, t + 3 * channels, t + 4 * channels, t + 5 * channels, t + 6 * channels};
  VOX_SELECT(intensityTable).affine(image.x, image.y, image.voxels(), channels, table, info[4].ToBoolean());
}

// gamma(input, output, channels, channel, exponent, min, width, sign)
void gammaCurve(const Napi::CallbackInfo& info) {
  Image image;
  if (!readImage(info, image)) return;
  const int channels = image.channels;
  const int64_t channel = integer(info, 3);
  if (channel < 0 || channel >= channels) {
    rangeError(info, "channel must be below channels");
    return;
  }
  VOX_SELECT(intensityTable)
      .gamma(image.x, image.y, image.voxels(), channels, static_cast<int>(channel), static_cast<float>(number(info, 4)), static_cast<float>(number(info, 5)),
             static_cast<float>(number(info, 6)), number(info, 7) < 0 ? -1.f : 1.f);
}

// noise(input, output, channels, sigma, key)
void noise(const Napi::CallbackInfo& info) {
  Image image;
  if (!readImage(info, image)) return;
  const int channels = image.channels;
  const double* sigma = elements<double>(info, 3, channels);
  if (!sigma) return;
  const uint32_t* key = elements<uint32_t>(info, 4, 4);
  if (!key) return;
  const std::vector<float> deviations(sigma, sigma + channels);
  VOX_SELECT(intensityTable).noise(image.x, image.y, image.count, channels, deviations.data(), key);
}

// Order-preserving map of floats onto unsigned integers: negative ones are complemented, so that larger magnitudes come first.
uint32_t ordered(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

float unordered(uint32_t key) {
  const uint32_t bits = key & 0x80000000u ? key & 0x7fffffffu : ~key;
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}

// The value at each place of the sorted array: upper halves of the keys are counted first, then the lower halves of the chosen upper ones.
std::vector<double> selectPlaces(const float* values, size_t count, const std::vector<size_t>& places) {
  std::vector<size_t> upper(65536);
  for (size_t i = 0; i < count; i++) upper[ordered(values[i]) >> 16]++;
  std::vector<double> result;
  std::vector<uint32_t> lower(65536);
  int64_t counted = -1;
  for (const size_t place : places) {
    size_t before = 0;
    uint32_t bucket = 0;
    while (before + upper[bucket] <= place) before += upper[bucket++];
    if (counted != bucket) {
      std::fill(lower.begin(), lower.end(), 0);
      for (size_t i = 0; i < count; i++) {
        const uint32_t key = ordered(values[i]);
        if (key >> 16 == bucket) lower[key & 0xffff]++;
      }
      counted = bucket;
    }
    uint32_t low = 0;
    while (before + lower[low] <= place) before += lower[low++];
    result.push_back(unordered(bucket << 16 | low));
  }
  return result;
}

// percentiles(values, ranks) → Float64Array
Napi::Value percentiles(const Napi::CallbackInfo& info) {
  const size_t count = elementCount(info, 0);
  if (count == 0) {
    rangeError(info, "percentiles: there must be values");
    return info.Env().Undefined();
  }
  const float* values = elements<float>(info, 0, count);
  const size_t ranks = elementCount(info, 1);
  const double* rank = values ? elements<double>(info, 1, ranks) : nullptr;
  if (!rank) return info.Env().Undefined();
  std::vector<size_t> places;
  std::vector<double> fractions;
  for (size_t r = 0; r < ranks; r++) {
    if (!(rank[r] >= 0 && rank[r] <= 100)) {
      rangeError(info, "percentiles: ranks must be in [0, 100]");
      return info.Env().Undefined();
    }
    const double position = rank[r] / 100 * static_cast<double>(count - 1);
    const size_t below = static_cast<size_t>(position);
    places.push_back(below);
    places.push_back(below + 1 < count ? below + 1 : below);
    fractions.push_back(position - static_cast<double>(below));
  }
  const std::vector<double> found = selectPlaces(values, count, places);
  auto result = Napi::Float64Array::New(info.Env(), ranks);
  for (size_t r = 0; r < ranks; r++) result.Data()[r] = found[2 * r] + (found[2 * r + 1] - found[2 * r]) * fractions[r];
  return result;
}

}  // namespace

void registerIntensity(Napi::Env env, Napi::Object exports) {
  exports.Set("clip", Napi::Function::New(env, clip));
  exports.Set("statistics", Napi::Function::New(env, statistics));
  exports.Set("affineIntensity", Napi::Function::New(env, affineIntensity));
  exports.Set("gamma", Napi::Function::New(env, gammaCurve));
  exports.Set("noise", Napi::Function::New(env, noise));
  exports.Set("percentiles", Napi::Function::New(env, percentiles));
}
