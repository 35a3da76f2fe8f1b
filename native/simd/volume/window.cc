#include "window.h"

#include "simd/shuffle.h"

namespace VOX_NS {

// Lane l of part j of one weight per voxel, repeated for every channel: voxel (j·lanes + l)/channels.
template <int kChannels, int kPart, int... I>
static inline vfloat spreadPart(vfloat weight, Indices<I...>) {
  return shuffled<((kPart * kFloats + I) / kChannels)...>(weight, weight);
}

template <int kChannels, int... kParts>
static inline void spreadParts(vfloat weight, vfloat* parts, Indices<kParts...>) {
  const vfloat all[] = {spreadPart<kChannels, kParts>(weight, AllIndices<kFloats>())...};
  for (int j = 0; j < kChannels; j++) parts[j] = all[j];
}

template <int kChannels>
static inline void spread(vfloat weight, vfloat* parts) {
  spreadParts<kChannels>(weight, parts, AllIndices<kChannels>());
}

template <int kChannels>
static size_t accumulateOf(float* sum, float* weightSum, const float* patch, const float* weight, size_t width) {
  size_t x = 0;
  for (; x + kFloats <= width; x += kFloats) {
    const vfloat w = load(weight + x);
    vfloat parts[kChannels];
    spread<kChannels>(w, parts);
    store(weightSum + x, load(weightSum + x) + w);
    for (int j = 0; j < kChannels; j++) {
      float* to = sum + x * kChannels + j * kFloats;
      store(to, load(to) + parts[j] * load(patch + x * kChannels + j * kFloats));
    }
  }
  return x;
}

static void addInto(float* to, const float* from, size_t count) {
  size_t i = 0;
  for (; i + kFloats <= count; i += kFloats) store(to + i, load(to + i) + load(from + i));
  for (; i < count; i++) to[i] += from[i];
}

static void accumulateRow(float* sum, float* weightSum, const float* patch, const float* weight, size_t width, size_t channels) {
  if (!weight) {
    addInto(sum, patch, width * channels);
    for (size_t x = 0; x < width; x++) weightSum[x] += 1.f;
    return;
  }
  size_t done = 0;
  switch (channels) {
    case 1: done = accumulateOf<1>(sum, weightSum, patch, weight, width); break;
    case 2: done = accumulateOf<2>(sum, weightSum, patch, weight, width); break;
    case 3: done = accumulateOf<3>(sum, weightSum, patch, weight, width); break;
    case 4: done = accumulateOf<4>(sum, weightSum, patch, weight, width); break;
    default: break;
  }
  for (size_t x = done; x < width; x++) {
    weightSum[x] += weight[x];
    for (size_t c = 0; c < channels; c++) sum[x * channels + c] += weight[x] * patch[x * channels + c];
  }
}

// Adds the voxels without weight, up to the one that it returns, to `uncovered`.
template <int kChannels>
static size_t finishOf(const float* sum, const float* weightSum, float* output, size_t voxels, size_t& uncovered) {
  size_t v = 0;
  vint none = {};
  for (; v + kFloats <= voxels; v += kFloats) {
    const vfloat weight = load(weightSum + v);
    // A comparison gives -1 where it holds.
    none -= weight == 0.f;
    vfloat parts[kChannels];
    spread<kChannels>(weight, parts);
    for (int j = 0; j < kChannels; j++) {
      const size_t at = v * kChannels + j * kFloats;
      store(output + at, parts[j] != 0.f ? load(sum + at) / parts[j] : vfloat{});
    }
  }
  for (int l = 0; l < kFloats; l++) uncovered += static_cast<size_t>(none[l]);
  return v;
}

static size_t finish(const float* sum, const float* weightSum, float* output, size_t voxels, size_t channels) {
  size_t done = 0, uncovered = 0;
  switch (channels) {
    case 1: done = finishOf<1>(sum, weightSum, output, voxels, uncovered); break;
    case 2: done = finishOf<2>(sum, weightSum, output, voxels, uncovered); break;
    case 3: done = finishOf<3>(sum, weightSum, output, voxels, uncovered); break;
    case 4: done = finishOf<4>(sum, weightSum, output, voxels, uncovered); break;
    default: break;
  }
  for (size_t v = done; v < voxels; v++) {
    uncovered += weightSum[v] == 0.f;
    for (size_t c = 0; c < channels; c++) output[v * channels + c] = weightSum[v] == 0.f ? 0.f : sum[v * channels + c] / weightSum[v];
  }
  return uncovered;
}

const WindowTable& windowTable() {
  static const WindowTable table = {accumulateRow, finish};
  return table;
}

}  // namespace VOX_NS
