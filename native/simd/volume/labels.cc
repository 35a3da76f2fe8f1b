#include "labels.h"

#include "simd/lanes.h"
#include "majority.h"

namespace VOX_NS {

template <class T>
static void nearestRow(const T* row, T* to, const int32_t* at, int64_t count) {
  for (int64_t x = 0; x < count; x++) to[x] = row[at[x]];
}

// alike[x] tells whether all eight corners of the cell [x, x+1] have one label.
template <class T>
static void findAlike(const T* a, const T* b, const T* c, const T* d, uint8_t* same, uint8_t* alike, int64_t width) {
  for (int64_t x = 0; x < width; x++) same[x] = static_cast<uint8_t>((a[x] == b[x]) & (a[x] == c[x]) & (a[x] == d[x]));
  for (int64_t x = 0; x + 1 < width; x++) alike[x] = static_cast<uint8_t>(same[x] & same[x + 1] & (a[x] == a[x + 1]));
  alike[width - 1] = same[width - 1];
}

template <class T>
static void resample(const T* input, T* output, const LabelResamplePlan& plan, bool isLinear) {
  const int64_t width = plan.extent[2], outWidth = plan.outExtent[2];
  const int64_t slice = plan.extent[1] * width;
  uint8_t* same = plan.uniform;
  uint8_t* alike = plan.uniform + width;
  for (int64_t z = 0; z < plan.outExtent[0]; z++) {
    for (int64_t y = 0; y < plan.outExtent[1]; y++) {
      const T* rows[4] = {input + plan.low[0][z] * slice + plan.low[1][y] * width, input + plan.low[0][z] * slice + plan.high[1][y] * width,
                          input + plan.high[0][z] * slice + plan.low[1][y] * width, input + plan.high[0][z] * slice + plan.high[1][y] * width};
      T* to = output + (z * plan.outExtent[1] + y) * outWidth;
      if (!isLinear) {
        nearestRow(rows[0], to, plan.low[2], outWidth);
        continue;
      }
      findAlike(rows[0], rows[1], rows[2], rows[3], same, alike, width);
      for (int64_t x = 0; x < outWidth; x++) {
        const int32_t a = plan.low[2][x], b = plan.high[2][x];
        if (alike[a]) {
          to[x] = rows[0][a];
          continue;
        }
        uint32_t corners[8];
        for (int k = 0; k < 4; k++) {
          corners[2 * k] = rows[k][a];
          corners[2 * k + 1] = rows[k][b];
        }
        to[x] = static_cast<T>(majorityLabel(corners, plan.fraction[0][z], plan.fraction[1][y], plan.fraction[2][x]));
      }
    }
  }
}

template <class T, class Out>
static int64_t oneHotInto(const T* labels, size_t count, Out* output, uint32_t classes) {
  // Checked in runs first, so that a wrong label never becomes an address.
  constexpr size_t run = 4096;
  for (size_t begin = 0; begin < count; begin += run) {
    const size_t end = begin + run < count ? begin + run : count;
    uint32_t largest = 0;
    for (size_t i = begin; i < end; i++) largest = labels[i] > largest ? labels[i] : largest;
    if (largest >= classes) {
      for (size_t i = begin; i < end; i++) {
        if (labels[i] >= classes) return static_cast<int64_t>(i);
      }
    }
    __builtin_memset(output + begin * classes, 0, (end - begin) * classes * sizeof(Out));
    for (size_t i = begin; i < end; i++) output[i * classes + labels[i]] = 1;
  }
  return -1;
}

template <class T>
static int64_t oneHot(const T* labels, size_t count, float* output, uint8_t* byteOutput, uint32_t classes) {
  return output ? oneHotInto(labels, count, output, classes) : oneHotInto(labels, count, byteOutput, classes);
}

template <class T, int kChannels>
static void argMaxOf(const float* scores, T* output, size_t voxels, uint32_t channels) {
  const uint32_t classes = kChannels ? kChannels : channels;
  for (size_t v = 0; v < voxels; v++) {
    const float* s = scores + v * classes;
    float largest = s[0];
    uint32_t best = 0;
    for (uint32_t c = 1; c < classes; c++) {
      best = s[c] > largest ? c : best;
      largest = s[c] > largest ? s[c] : largest;
    }
    output[v] = static_cast<T>(best);
  }
}

template <class T>
static void argMax(const float* scores, T* output, size_t voxels, uint32_t channels) {
  switch (channels) {
    case 2: return argMaxOf<T, 2>(scores, output, voxels, channels);
    case 3: return argMaxOf<T, 3>(scores, output, voxels, channels);
    case 4: return argMaxOf<T, 4>(scores, output, voxels, channels);
    case 5: return argMaxOf<T, 5>(scores, output, voxels, channels);
    default: return argMaxOf<T, 0>(scores, output, voxels, channels);
  }
}

const LabelTable& labelTable() {
  static const LabelTable table = {resample<uint8_t>, resample<uint16_t>, oneHot<uint8_t>, oneHot<uint16_t>, argMax<uint8_t>, argMax<uint16_t>};
  return table;
}

}  // namespace VOX_NS
