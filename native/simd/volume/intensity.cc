#include "intensity.h"

#include "curves.h"

namespace VOX_NS {

static void clip(const float* input, float* output, size_t count, float min, float max) {
  const vfloat low = splat(min), high = splat(max);
  size_t i = 0;
  for (; i + kFloats <= count; i += kFloats) store(output + i, clamp(load(input + i), low, high));
  for (; i < count; i++) output[i] = clamp(input[i], min, max);
}

static void range(const float* input, size_t count, float* min, float* max) {
  // Not from the first voxel: a NaN there would hide all others of its lane.
  float smallest = __builtin_inff(), largest = -__builtin_inff();
  size_t i = 0;
  if (count >= 4 * kFloats) {
    vfloat low[4], high[4];
    for (int k = 0; k < 4; k++) {
      low[k] = splat(smallest);
      high[k] = splat(largest);
    }
    for (; i + 4 * kFloats <= count; i += 4 * kFloats) {
      for (int k = 0; k < 4; k++) {
        const vfloat x = load(input + i + k * kFloats);
        low[k] = lower(x, low[k]);
        high[k] = upper(x, high[k]);
      }
    }
    for (int k = 0; k < 4; k++) {
      for (int lane = 0; lane < kFloats; lane++) {
        smallest = low[k][lane] < smallest ? low[k][lane] : smallest;
        largest = high[k][lane] > largest ? high[k][lane] : largest;
      }
    }
  }
  for (; i < count; i++) {
    smallest = input[i] < smallest ? input[i] : smallest;
    largest = input[i] > largest ? input[i] : largest;
  }
  *min = smallest;
  *max = largest;
}

// Adds a part with its own mean: Chan, Golub, LeVeque 1979, equation 2.1.
static void combine(ChannelMoments& total, double count, double mean, double squares) {
  const double all = total.count + count;
  const double difference = mean - total.mean;
  total.mean += difference * count / all;
  total.squares += squares + difference * difference * total.count * count / all;
  total.count = all;
}

static void momentsOfChannel(const float* input, size_t voxels, int stride, float low, float high, ChannelMoments& result) {
  constexpr size_t block = 1024;
  for (size_t begin = 0; begin < voxels; begin += block) {
    const size_t end = begin + block < voxels ? begin + block : voxels;
    const double shift = clamp(input[begin * stride], low, high);
    double sum = 0, squares = 0;
    for (size_t v = begin; v < end; v++) {
      const double x = clamp(input[v * stride], low, high);
      result.min = x < result.min ? x : result.min;
      result.max = x > result.max ? x : result.max;
      sum += x - shift;
      squares += (x - shift) * (x - shift);
    }
    const double count = static_cast<double>(end - begin);
    combine(result, count, shift + sum / count, squares - sum * sum / count);
  }
}

// Sums of deviations from a value of the block itself: they cannot cancel by more than the block's own spread. Channel of lane l in vector j of a
// period of C vectors: (j·lanes + l) mod C.
template <int kPattern>
static size_t momentsOfPattern(const float* input, size_t voxels, float low, float high, ChannelMoments* result) {
  constexpr size_t periods = 2048 / kFloats / kPattern > 0 ? 2048 / kFloats / kPattern : 1;
  constexpr size_t floats = periods * kPattern * kFloats;
  const size_t blocks = voxels * kPattern / floats;
  const vfloat lows = splat(low), highs = splat(high);
  vfloat smallest[kPattern], largest[kPattern];
  for (int j = 0; j < kPattern; j++) smallest[j] = largest[j] = clamp(load(input + j * kFloats), lows, highs);
  for (size_t b = 0; b < blocks; b++) {
    const float* in = input + b * floats;
    vdouble shift[kPattern][2], sum[kPattern][2], squares[kPattern][2];
    float shifts[kPattern];
    for (int c = 0; c < kPattern; c++) shifts[c] = clamp(in[c], low, high);
    for (int j = 0; j < kPattern; j++) {
      for (int h = 0; h < 2; h++) {
        shift[j][h] = sum[j][h] = squares[j][h] = vdouble{};
        for (int l = 0; l < kDoubles; l++) shift[j][h][l] = shifts[(j * kFloats + h * kDoubles + l) % kPattern];
      }
    }
    for (size_t p = 0; p < periods; p++) {
      for (int j = 0; j < kPattern; j++) {
        const vfloat x = clamp(load(in + (p * kPattern + j) * kFloats), lows, highs);
        smallest[j] = lower(x, smallest[j]);
        largest[j] = upper(x, largest[j]);
        for (int h = 0; h < 2; h++) {
          vhalf part;
          __builtin_memcpy(&part, reinterpret_cast<const char*>(&x) + h * sizeof(part), sizeof(part));
          const vdouble d = __builtin_convertvector(part, vdouble) - shift[j][h];
          sum[j][h] += d;
          squares[j][h] += d * d;
        }
      }
    }
    double total[kPattern] = {}, square[kPattern] = {};
    for (int j = 0; j < kPattern; j++) {
      for (int h = 0; h < 2; h++) {
        for (int l = 0; l < kDoubles; l++) {
          const int c = (j * kFloats + h * kDoubles + l) % kPattern;
          total[c] += sum[j][h][l];
          square[c] += squares[j][h][l];
        }
      }
    }
    const double count = static_cast<double>(floats / kPattern);
    for (int c = 0; c < kPattern; c++) combine(result[c], count, shifts[c] + total[c] / count, square[c] - total[c] * total[c] / count);
  }
  if (blocks > 0) {
    for (int j = 0; j < kPattern; j++) {
      for (int l = 0; l < kFloats; l++) {
        ChannelMoments& r = result[(j * kFloats + l) % kPattern];
        r.min = smallest[j][l] < r.min ? smallest[j][l] : r.min;
        r.max = largest[j][l] > r.max ? largest[j][l] : r.max;
      }
    }
  }
  return blocks * floats / kPattern;
}

static void moments(const float* input, size_t voxels, int channels, float low, float high, ChannelMoments* result) {
  for (int c = 0; c < channels; c++) result[c] = {0, __builtin_inf(), -__builtin_inf(), 0, 0};
  size_t done = 0;
  // Where there is less than one period, momentsOfPattern must not read it.
  if (voxels >= 2048) {
    switch (channels) {
      case 1: done = momentsOfPattern<1>(input, voxels, low, high, result); break;
      case 2: done = momentsOfPattern<2>(input, voxels, low, high, result); break;
      case 3: done = momentsOfPattern<3>(input, voxels, low, high, result); break;
      case 4: done = momentsOfPattern<4>(input, voxels, low, high, result); break;
      default: break;
    }
  }
  for (int c = 0; c < channels; c++) momentsOfChannel(input + done * channels + c, voxels - done, channels, low, high, result[c]);
}

template <bool kRound>
static inline vfloat affineOf(vfloat x, const vfloat* t) {
  vfloat y = (clamp(x, t[0], t[1]) - t[2]) * t[3] + t[4];
  if (kRound) y = roundEven(y);
  return clamp(y, t[5], t[6]);
}

template <bool kRound, int kPattern>
static size_t affineOfPattern(const float* input, float* output, size_t voxels, const AffineTerms& terms) {
  const float* rows[7] = {terms.low, terms.high, terms.shift, terms.scale, terms.offset, terms.floor, terms.ceiling};
  vfloat t[kPattern][7];
  for (int j = 0; j < kPattern; j++) {
    for (int k = 0; k < 7; k++) {
      for (int l = 0; l < kFloats; l++) t[j][k][l] = rows[k][(j * kFloats + l) % kPattern];
    }
  }
  const size_t periods = voxels / kFloats;
  for (size_t p = 0; p < periods; p++) {
    for (int j = 0; j < kPattern; j++) {
      const size_t at = (p * kPattern + j) * kFloats;
      store(output + at, affineOf<kRound>(load(input + at), t[j]));
    }
  }
  return periods * kFloats;
}

template <bool kRound>
static void affineRounded(const float* input, float* output, size_t voxels, int channels, const AffineTerms& terms) {
  size_t done = 0;
  switch (channels) {
    case 1: done = affineOfPattern<kRound, 1>(input, output, voxels, terms); break;
    case 2: done = affineOfPattern<kRound, 2>(input, output, voxels, terms); break;
    case 3: done = affineOfPattern<kRound, 3>(input, output, voxels, terms); break;
    case 4: done = affineOfPattern<kRound, 4>(input, output, voxels, terms); break;
    default: break;
  }
  for (size_t v = done; v < voxels; v++) {
    for (int c = 0; c < channels; c++) {
      const size_t i = v * channels + c;
      float y = (clamp(input[i], terms.low[c], terms.high[c]) - terms.shift[c]) * terms.scale[c] + terms.offset[c];
      if (kRound) y = __builtin_rintf(y);
      output[i] = clamp(y, terms.floor[c], terms.ceiling[c]);
    }
  }
}

static void affine(const float* input, float* output, size_t voxels, int channels, const AffineTerms& terms, bool round) {
  if (round) affineRounded<true>(input, output, voxels, channels, terms);
  else affineRounded<false>(input, output, voxels, channels, terms);
}

static inline vfloat gammaOf(vfloat x, float exponent, float min, float width, float sign) {
  const vfloat t = lower(upper((x * sign - min) * (1.f / width), vfloat{}), splat(1.f));
  return (unitPower(t, exponent) * width + min) * sign;
}

static void gamma(const float* input, float* output, size_t voxels, int channels, int channel, float exponent, float min, float width, float sign) {
  if (channels == 1) {
    size_t i = 0;
    for (; i + kFloats <= voxels; i += kFloats) store(output + i, gammaOf(load(input + i), exponent, min, width, sign));
    if (i < voxels) {
      vfloat rest = splat(min);
      for (size_t k = i; k < voxels; k++) rest[k - i] = input[k];
      rest = gammaOf(rest, exponent, min, width, sign);
      for (size_t k = i; k < voxels; k++) output[k] = rest[k - i];
    }
    return;
  }
  for (size_t v = 0; v < voxels; v += kFloats) {
    const int lanes = voxels - v < static_cast<size_t>(kFloats) ? static_cast<int>(voxels - v) : kFloats;
    vfloat x = splat(min);
    for (int l = 0; l < lanes; l++) x[l] = input[(v + l) * channels + channel];
    x = gammaOf(x, exponent, min, width, sign);
    for (int l = 0; l < lanes; l++) output[(v + l) * channels + channel] = x[l];
  }
}

// Philox-4x32 with 7 rounds: Salmon, Moraes, Dror, Shaw, SC11. One counter per lane.
static inline void philox(uint32_t counter, uint32_t stream, const uint32_t* key, vword* c) {
  vword lanes;
  for (int l = 0; l < kFloats; l++) lanes[l] = l;
  c[0] = lanes + counter;
  c[1] = vword{} + stream;
  c[2] = vword{} + key[2];
  c[3] = vword{} + key[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 7; round++) {
    vword high0, low0, high1, low1;
    multiplyWide(c[0], 0xd2511f53u, high0, low0);
    multiplyWide(c[2], 0xcd9e8d57u, high1, low1);
    c[0] = high1 ^ c[1] ^ k0;
    c[1] = low1;
    c[2] = high0 ^ c[3] ^ k1;
    c[3] = low0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
}

static inline vfloat unitInterval(vword words) { return (__builtin_convertvector((vint)(words >> 9), vfloat) + 0.5f) * 1.1920928955078125e-7f; }

// 64 neighbors share 16 counters: element e of the group is word e/16 of counter e%16.
static void normalGroup(float* group, size_t index, const uint32_t* key) {
  for (int part = 0; part < 16; part += kFloats) {
    vword c[4];
    philox(static_cast<uint32_t>(index * 16 + part), 0, key, c);
    for (int pair = 0; pair < 4; pair += 2) {
      const vfloat radius = squareRoot(naturalLog(unitInterval(c[pair])) * -2.f);
      vfloat sine, cosine;
      turn(unitInterval(c[pair + 1]), sine, cosine);
      store(group + pair * 16 + part, radius * cosine);
      store(group + (pair + 1) * 16 + part, radius * sine);
    }
  }
}

static void noise(const float* input, float* output, size_t count, int channels, const float* sigma, const uint32_t* key) {
  float group[64];
  for (size_t begin = 0; begin < count; begin += 64) {
    normalGroup(group, begin / 64, key);
    const size_t length = count - begin < 64 ? count - begin : 64;
    if (channels == 1 && length == 64) {
      for (int i = 0; i < 64; i += kFloats) store(output + begin + i, load(input + begin + i) + load(group + i) * sigma[0]);
    } else {
      size_t c = begin % channels;
      for (size_t i = 0; i < length; i++) {
        output[begin + i] = input[begin + i] + group[i] * sigma[c];
        if (++c == static_cast<size_t>(channels)) c = 0;
      }
    }
  }
}

static void uniformGroup(float* group, size_t index, uint32_t stream, const uint32_t* key) {
  for (int part = 0; part < 16; part += kFloats) {
    vword c[4];
    philox(static_cast<uint32_t>(index * 16 + part), stream, key, c);
    for (int word = 0; word < 4; word++) store(group + word * 16 + part, unitInterval(c[word]) * 2.f - 1.f);
  }
}

static void uniform(float* output, size_t begin, size_t end, uint32_t stream, const uint32_t* key) {
  for (size_t at = begin; at < end;) {
    const size_t first = at % 64;
    const size_t length = 64 - first < end - at ? 64 - first : end - at;
    if (length == 64) {
      uniformGroup(output + (at - begin), at / 64, stream, key);
    } else {
      float group[64];
      uniformGroup(group, at / 64, stream, key);
      for (size_t i = 0; i < length; i++) output[at - begin + i] = group[first + i];
    }
    at += length;
  }
}

const IntensityTable& intensityTable() {
  static const IntensityTable table = {clip, moments, affine, gamma, noise, uniform, range};
  return table;
}

}  // namespace VOX_NS
