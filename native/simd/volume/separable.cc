#include "separable.h"

#include <cstdlib>

#include "simd/lanes.h"

namespace VOX_NS {

namespace {

template <class T>
class Scratch {
 public:
  explicit Scratch(size_t count) : data_(static_cast<T*>(std::malloc((count + kFloats) * sizeof(T)))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::free(data_); }
  T* get() const { return data_; }

 private:
  T* data_;
};

}  // namespace

// to[i] = Σ weights[k]·rows[k][i] for `count` floats.
static void combineRows(const float* const* rows, const float* weights, int taps, float* to, int64_t count) {
  int64_t i = 0;
  for (; i + 4 * kFloats <= count; i += 4 * kFloats) {
    vfloat sum[4] = {};
    for (int k = 0; k < taps; k++) {
      const float* row = rows[k] + i;
      const vfloat w = splat(weights[k]);
      for (int j = 0; j < 4; j++) sum[j] += load(row + j * kFloats) * w;
    }
    for (int j = 0; j < 4; j++) store(to + i + j * kFloats, sum[j]);
  }
  for (; i + kFloats <= count; i += kFloats) {
    vfloat sum = {};
    for (int k = 0; k < taps; k++) sum += load(rows[k] + i) * splat(weights[k]);
    store(to + i, sum);
  }
  for (; i < count; i++) {
    float sum = 0;
    for (int k = 0; k < taps; k++) sum += rows[k][i] * weights[k];
    to[i] = sum;
  }
}

// The taps of an output position without those in front and behind that only meet zeros.
struct Reach {
  int first, count;
};

static Reach reachOf(const AxisPlan& axis, int64_t o) {
  const int32_t* sources = axis.sources + axis.before + axis.starts[o];
  int first = 0, end = axis.taps;
  while (first < end && sources[first] < 0) first++;
  while (end > first && sources[end - 1] < 0) end--;
  return {first, end - first};
}

// Rows are cut into strips, so that the rows that neighbors share stay in the first-level cache.
constexpr int64_t kStrip = 256;

// Along the height, for output rows [first, end): `rowAt[before + position]` points at the row of a position.
static void alongHeight(const AxisPlan& axis, const float* const* rowAt, int64_t first, int64_t end, int64_t floats, float* to, const float** taps) {
  for (int64_t strip = 0; strip < floats; strip += kStrip) {
    const int64_t count = floats - strip < kStrip ? floats - strip : kStrip;
    for (int64_t o = first; o < end; o++) {
      const Reach reach = reachOf(axis, o);
      for (int k = 0; k < reach.count; k++) taps[k] = rowAt[axis.before + axis.starts[o] + reach.first + k] + strip;
      combineRows(taps, axis.weights + o * axis.taps + reach.first, reach.count, to + (o - first) * floats + strip, count);
    }
  }
}

constexpr int kBlockVectors = 2;
constexpr int kBlockRows = kBlockVectors * kFloats;

// Columns of kBlockRows rows side by side: to[x·kBlockRows + r] = rows[r][x]. Rows beyond `rows` repeat the last.
static void gatherColumns(const float* from, int64_t rowFloats, int rows, int64_t columns, float* to) {
  for (int part = 0; part < kBlockVectors; part++) {
    const float* lines[kFloats];
    for (int r = 0; r < kFloats; r++) {
      const int row = part * kFloats + r < rows ? part * kFloats + r : rows - 1;
      lines[r] = from + row * rowFloats;
    }
    int64_t x = 0;
    for (; x + kFloats <= columns; x += kFloats) {
      vfloat block[kFloats];
      for (int r = 0; r < kFloats; r++) block[r] = load(lines[r] + x);
      transpose(block);
      for (int i = 0; i < kFloats; i++) store(to + (x + i) * kBlockRows + part * kFloats, block[i]);
    }
    for (; x < columns; x++) {
      for (int r = 0; r < kFloats; r++) to[x * kBlockRows + part * kFloats + r] = lines[r][x];
    }
  }
}

static void scatterColumns(const float* from, int64_t columns, int rows, float* to, int64_t rowFloats) {
  for (int part = 0; part < kBlockVectors && part * kFloats < rows; part++) {
    const int lanes = rows - part * kFloats < kFloats ? rows - part * kFloats : kFloats;
    int64_t x = 0;
    for (; x + kFloats <= columns; x += kFloats) {
      vfloat block[kFloats];
      for (int i = 0; i < kFloats; i++) block[i] = load(from + (x + i) * kBlockRows + part * kFloats);
      transpose(block);
      for (int r = 0; r < lanes; r++) store(to + (part * kFloats + r) * rowFloats + x, block[r]);
    }
    for (; x < columns; x++) {
      for (int r = 0; r < lanes; r++) to[(part * kFloats + r) * rowFloats + x] = from[x * kBlockRows + part * kFloats + r];
    }
  }
}

// Along the width: blocks of rows are transposed, so that a vector holds one column of many rows.
static void alongWidth(const AxisPlan& axis, int64_t channels, const float* from, int64_t rows, float* to, float* columns, float* results) {
  const int64_t floats = axis.extent * channels, outFloats = axis.outExtent * channels;
  const int64_t step = channels * kBlockRows;
  float* inside = columns + axis.before * step;
  for (int64_t row = 0; row < rows; row += kBlockRows) {
    const int count = rows - row < kBlockRows ? static_cast<int>(rows - row) : kBlockRows;
    gatherColumns(from + row * floats, floats, count, floats, inside);
    for (int64_t position = -axis.before; position < axis.extent + axis.after; position++) {
      if (position == 0) position = axis.extent;
      if (position >= axis.extent + axis.after) break;
      const int32_t source = axis.sources[axis.before + position];
      if (source < 0) __builtin_memset(inside + position * step, 0, step * sizeof(float));
      else __builtin_memcpy(inside + position * step, inside + source * step, step * sizeof(float));
    }
    for (int64_t o = 0; o < axis.outExtent; o++) {
      const float* weights = axis.weights + o * axis.taps;
      const float* column = inside + axis.starts[o] * step;
      for (int64_t c = 0; c < channels; c++) {
        vfloat sum[kBlockVectors] = {};
        for (int k = 0; k < axis.taps; k++) {
          const vfloat w = splat(weights[k]);
          for (int j = 0; j < kBlockVectors; j++) sum[j] += load(column + k * step + c * kBlockRows + j * kFloats) * w;
        }
        for (int j = 0; j < kBlockVectors; j++) store(results + (o * channels + c) * kBlockRows + j * kFloats, sum[j]);
      }
    }
    scatterColumns(results, outFloats, count, to + row * outFloats, outFloats);
  }
}

constexpr int64_t kMaxPattern = 64;

// Keeps `count` floats, the first of which belongs to channel `channel`, in their ranges.
static void clampRow(float* row, int64_t count, int64_t channel, int64_t channels, const float* low, const float* high) {
  int64_t i = 0;
  if (channels <= kMaxPattern) {
    // A vector that starts at channel c takes its bounds from c on.
    float lows[kMaxPattern + kFloats], highs[kMaxPattern + kFloats];
    for (int64_t k = 0; k < channels + kFloats; k++) {
      lows[k] = low[k % channels];
      highs[k] = high[k % channels];
    }
    const int64_t step = kFloats % channels;
    for (; i + kFloats <= count; i += kFloats) {
      store(row + i, clamp(load(row + i), load(lows + channel), load(highs + channel)));
      channel += step;
      if (channel >= channels) channel -= channels;
    }
  }
  for (; i < count; i++) {
    row[i] = clamp(row[i], low[channel], high[channel]);
    if (++channel == channels) channel = 0;
  }
}

// Output rows are made in bands whose intermediate volume (all input slices of the band) stays in cache: height, then width of each slice, then depth.
static bool run(const SeparablePlan& plan) {
  const AxisPlan &depth = plan.axes[0], &height = plan.axes[1], &width = plan.axes[2];
  const int64_t rowFloats = width.extent * plan.channels, outRowFloats = width.outExtent * plan.channels;
  constexpr int64_t kBandFloats = 1 << 18;
  const int64_t sliceRows = kBandFloats / (depth.extent * outRowFloats) + 1;
  // Below this the input rows that neighboring bands share would be worked on twice.
  const int64_t ratioRows = 1 + 2 * height.taps * height.outExtent / height.extent;
  int64_t band = sliceRows > ratioRows ? sliceRows : ratioRows;
  band = (band + kBlockRows - 1) / kBlockRows * kBlockRows;
  if (plan.generate || band > height.outExtent) band = height.outExtent;

  const int64_t rowSlots = height.before + height.extent + height.after;
  const int64_t columnSlots = width.before + width.extent + width.after;
  const int maxTaps = depth.taps > height.taps ? depth.taps : height.taps;
  Scratch<float> intermediate(depth.extent * band * outRowFloats);
  Scratch<float> slice(band * rowFloats);
  Scratch<float> columns(columnSlots * plan.channels * kBlockRows);
  Scratch<float> results(width.outExtent * plan.channels * kBlockRows);
  const int64_t zeroFloats = rowFloats > kStrip ? rowFloats : kStrip;
  Scratch<float> zeros(zeroFloats);
  Scratch<float> generated(plan.generate ? height.extent * rowFloats : 1);
  Scratch<const float*> rowAt(rowSlots);
  Scratch<const float*> taps(maxTaps);
  if (!intermediate.get() || !slice.get() || !columns.get() || !results.get() || !zeros.get() || !generated.get() || !rowAt.get() || !taps.get()) return false;
  __builtin_memset(zeros.get(), 0, zeroFloats * sizeof(float));

  for (int64_t first = 0; first < height.outExtent; first += band) {
    const int64_t end = first + band < height.outExtent ? first + band : height.outExtent;
    const int64_t rows = end - first;
    for (int64_t z = 0; z < depth.extent; z++) {
      const float* input;
      int64_t inputRow;
      if (plan.generate) {
        plan.generate(plan.context, z, 0, height.extent, generated.get());
        input = generated.get();
        inputRow = rowFloats;
      } else {
        input = plan.input + z * plan.inputSlice;
        inputRow = plan.inputRow;
      }
      float* made = intermediate.get() + z * rows * outRowFloats;
      float* afterHeight = width.isIdentity ? made : slice.get();
      if (height.isIdentity) {
        for (int64_t y = 0; y < rows; y++) __builtin_memcpy(afterHeight + y * rowFloats, input + (first + y) * inputRow, rowFloats * sizeof(float));
      } else {
        for (int64_t i = 0; i < rowSlots; i++) rowAt.get()[i] = height.sources[i] < 0 ? zeros.get() : input + height.sources[i] * inputRow;
        alongHeight(height, rowAt.get(), first, end, rowFloats, afterHeight, taps.get());
      }
      if (!width.isIdentity) alongWidth(width, plan.channels, afterHeight, rows, made, columns.get(), results.get());
    }
    // The band of one slice is one long row for the depth axis.
    const int64_t floats = rows * outRowFloats;
    for (int64_t strip = 0; strip < floats; strip += kStrip) {
      const int64_t count = floats - strip < kStrip ? floats - strip : kStrip;
      for (int64_t o = 0; o < depth.outExtent; o++) {
        float* to = plan.output + (o * height.outExtent + first) * outRowFloats + strip;
        if (depth.isIdentity) {
          __builtin_memcpy(to, intermediate.get() + o * floats + strip, count * sizeof(float));
        } else {
          const Reach reach = reachOf(depth, o);
          for (int k = 0; k < reach.count; k++) {
            const int32_t source = depth.sources[depth.before + depth.starts[o] + reach.first + k];
            taps.get()[k] = source < 0 ? zeros.get() : intermediate.get() + source * floats + strip;
          }
          combineRows(taps.get(), depth.weights + o * depth.taps + reach.first, reach.count, to, count);
        }
        if (plan.low) clampRow(to, count, strip % plan.channels, plan.channels, plan.low, plan.high);
      }
    }
  }
  return true;
}

const SeparableTable& separableTable() {
  static const SeparableTable table = {run};
  return table;
}

}  // namespace VOX_NS
