// Connected components, distances and surfaces of structures in label maps.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "families.h"
#include "volume-arguments.h"

namespace {

// A stretch of foreground in one row of the width; `parent` links the runs of a component to an earlier run.
struct Run {
  int32_t begin, end;
  uint32_t parent;
};

uint32_t rootOf(std::vector<Run>& runs, uint32_t i) {
  while (runs[i].parent != i) {
    runs[i].parent = runs[runs[i].parent].parent;
    i = runs[i].parent;
  }
  return i;
}

// The earlier run stays root: components are then numbered by their first voxel.
void join(std::vector<Run>& runs, uint32_t a, uint32_t b) {
  a = rootOf(runs, a);
  b = rootOf(runs, b);
  if (a < b) runs[b].parent = a;
  else if (b < a) runs[a].parent = b;
}

// Joins the runs of two rows that touch: overlap in a column, or with `reach` 1 also in neighboring columns.
void joinRows(std::vector<Run>& runs, size_t a, size_t aEnd, size_t b, size_t bEnd, int32_t reach) {
  while (a < aEnd && b < bEnd) {
    if (runs[a].begin < runs[b].end + reach && runs[b].begin < runs[a].end + reach) join(runs, static_cast<uint32_t>(a), static_cast<uint32_t>(b));
    if (runs[a].end < runs[b].end) a++;
    else b++;
  }
}

template <class Label>
double components(const Label* mask, const Extents& shape, int32_t* output, int connectivity) {
  std::vector<Run> runs;
  const int64_t rows = shape.depth * shape.height;
  std::vector<size_t> first(rows + 1);
  for (int64_t row = 0; row < rows; row++) {
    first[row] = runs.size();
    const Label* line = mask + row * shape.width;
    for (int64_t x = 0; x < shape.width;) {
      if (line[x] == 0) {
        x++;
        continue;
      }
      const int64_t begin = x;
      while (x < shape.width && line[x] != 0) x++;
      runs.push_back({static_cast<int32_t>(begin), static_cast<int32_t>(x), static_cast<uint32_t>(runs.size())});
    }
    first[row + 1] = runs.size();
    const int64_t z = row / shape.height, y = row % shape.height;
    const auto touch = [&](int64_t dz, int64_t dy, int32_t reach) {
      if (z + dz < 0 || y + dy < 0 || y + dy >= shape.height) return;
      const int64_t other = row + dz * shape.height + dy;
      joinRows(runs, first[row], first[row + 1], first[other], first[other + 1], reach);
    };
    const int32_t edge = connectivity >= 18 ? 1 : 0;
    touch(0, -1, edge);
    touch(-1, 0, edge);
    if (connectivity >= 18) {
      touch(-1, -1, connectivity == 26 ? 1 : 0);
      touch(-1, 1, connectivity == 26 ? 1 : 0);
    }
  }
  std::memset(output, 0, shape.voxels() * sizeof(int32_t));
  int32_t count = 0;
  std::vector<int32_t> number(runs.size());
  for (int64_t row = 0; row < rows; row++) {
    for (size_t r = first[row]; r < first[row + 1]; r++) {
      const uint32_t root = rootOf(runs, static_cast<uint32_t>(r));
      // A root comes before all other runs of its component.
      number[r] = root == r ? ++count : number[root];
      std::fill(output + row * shape.width + runs[r].begin, output + row * shape.width + runs[r].end, number[r]);
    }
  }
  return count;
}

// connectedComponents(mask, shape, output, connectivity) → number of components
Napi::Value connectedComponents(const Napi::CallbackInfo& info) {
  Extents shape;
  Bytes mask;
  if (!readExtents(info, 1, shape) || !readBytes(info, 0, shape.voxels(), mask)) return info.Env().Undefined();
  int32_t* output = elements<int32_t>(info, 2, shape.voxels());
  if (!output) return info.Env().Undefined();
  const int64_t connectivity = integer(info, 3);
  if ((connectivity != 6 && connectivity != 18 && connectivity != 26) || mask.elementSize > 2 || shape.voxels() >= 0x7fffffffu) {
    rangeError(info, "connectedComponents: connectivity must be 6, 18 or 26, the mask a label map of less than 2^31 voxels");
    return info.Env().Undefined();
  }
  const int neighbors = static_cast<int>(connectivity);
  return Napi::Number::New(info.Env(), mask.elementSize == 1 ? components(mask.data, shape, output, neighbors)
                                                             : components(reinterpret_cast<const uint16_t*>(mask.data), shape, output, neighbors));
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Lower envelope of parabolas: Felzenszwalb, Huttenlocher 2012, algorithm 1.
class Envelope {
 public:
  explicit Envelope(size_t length) : vertices_(length), starts_(length), values_(length) {}

  // Squared distances f of a line become min over j of f(j) + (i - j)²·step².
  void run(float* f, int64_t n, double step) {
    const double square = step * step;
    int64_t last = -1;
    for (int64_t q = 0; q < n; q++) {
      if (f[q] == kInfinity) continue;
      const double height = f[q] / square + static_cast<double>(q * q);
      double start = -HUGE_VAL;
      while (last >= 0) {
        const int64_t v = vertices_[last];
        start = (height - values_[last]) / static_cast<double>(2 * (q - v));
        if (start > starts_[last]) break;
        last--;
        start = -HUGE_VAL;
      }
      last++;
      vertices_[last] = q;
      starts_[last] = start;
      values_[last] = height;
    }
    if (last < 0) return;
    int64_t k = 0;
    // The parabola through vertex v has the value (height - v²)·square there: f itself may be overwritten by now.
    for (int64_t i = 0; i < n; i++) {
      while (k < last && starts_[k + 1] < static_cast<double>(i)) k++;
      const double v = static_cast<double>(vertices_[k]);
      const double distance = static_cast<double>(i) - v;
      f[i] = static_cast<float>((values_[k] - v * v + distance * distance) * square);
    }
  }

 private:
  std::vector<int64_t> vertices_;
  std::vector<double> starts_, values_;
};

// Distances along the width need no envelope: the nearest voxel of the set to the left and to the right.
template <class Label>
void squaresAlongWidth(const Label* mask, float* to, int64_t width, double step) {
  double distance = HUGE_VAL;
  for (int64_t x = 0; x < width; x++) {
    distance = mask[x] ? 0 : distance + step;
    to[x] = static_cast<float>(distance * distance);
  }
  distance = HUGE_VAL;
  for (int64_t x = width - 1; x >= 0; x--) {
    distance = mask[x] ? 0 : distance + step;
    to[x] = std::min(to[x], static_cast<float>(distance * distance));
  }
}

// Blocks of neighboring columns are copied out, worked on and copied back: a column alone would touch a cache line for each voxel.
void squaresAlongColumns(float* data, int64_t extent, int64_t stride, int64_t columns, double step, Envelope& envelope, std::vector<float>& block) {
  constexpr int64_t kColumns = 16;
  for (int64_t begin = 0; begin < columns; begin += kColumns) {
    const int64_t count = std::min(kColumns, columns - begin);
    for (int64_t i = 0; i < extent; i++) {
      for (int64_t c = 0; c < count; c++) block[c * extent + i] = data[i * stride + begin + c];
    }
    for (int64_t c = 0; c < count; c++) envelope.run(block.data() + c * extent, extent, step);
    for (int64_t i = 0; i < extent; i++) {
      for (int64_t c = 0; c < count; c++) data[i * stride + begin + c] = block[c * extent + i];
    }
  }
}

// distanceTransform(mask, shape, output, spacing)
void distanceTransform(const Napi::CallbackInfo& info) {
  Extents shape;
  Bytes mask;
  if (!readExtents(info, 1, shape) || !readBytes(info, 0, shape.voxels(), mask)) return;
  float* output = elements<float>(info, 2, shape.voxels());
  if (!output) return;
  double spacing[3] = {0, 0, 0};
  for (uint32_t axis = 0; axis < 3 && info[3].IsArray(); axis++) spacing[axis] = info[3].As<Napi::Array>().Get(axis).ToNumber().DoubleValue();
  for (const double step : spacing) {
    if (!(step > 0 && step < HUGE_VAL) || mask.elementSize > 2) {
      rangeError(info, "distanceTransform: spacing must be three numbers > 0, the mask a label map");
      return;
    }
  }
  const int64_t rows = shape.depth * shape.height, slice = shape.height * shape.width;
  for (int64_t row = 0; row < rows; row++) {
    float* to = output + row * shape.width;
    if (mask.elementSize == 1) squaresAlongWidth(mask.data + row * shape.width, to, shape.width, spacing[2]);
    else squaresAlongWidth(reinterpret_cast<const uint16_t*>(mask.data) + row * shape.width, to, shape.width, spacing[2]);
  }
  const int64_t longest = std::max(shape.depth, shape.height);
  Envelope envelope(longest);
  std::vector<float> block(16 * longest);
  if (shape.height > 1) {
    for (int64_t z = 0; z < shape.depth; z++) squaresAlongColumns(output + z * slice, shape.height, shape.width, shape.width, spacing[1], envelope, block);
  }
  if (shape.depth > 1) squaresAlongColumns(output, shape.depth, slice, slice, spacing[0], envelope, block);
  for (size_t i = 0; i < shape.voxels(); i++) output[i] = std::sqrt(output[i]);
}

template <class Label, bool kIsAny>
size_t surface(const Label* labels, const Extents& shape, uint8_t* output, Label label) {
  const auto belongs = [label](Label value) -> uint8_t { return kIsAny ? value != 0 : value == label; };
  const int64_t width = shape.width, slice = shape.height * width;
  // Beyond the image stands a row of another label.
  const std::vector<Label> outside(width, static_cast<Label>(kIsAny ? 0 : label == 0 ? 1 : 0));
  size_t count = 0;
  for (int64_t z = 0; z < shape.depth; z++) {
    for (int64_t y = 0; y < shape.height; y++) {
      const Label* row = labels + z * slice + y * width;
      const Label* up = y > 0 ? row - width : outside.data();
      const Label* down = y + 1 < shape.height ? row + width : outside.data();
      const Label* back = z > 0 ? row - slice : outside.data();
      const Label* front = z + 1 < shape.depth ? row + slice : outside.data();
      uint8_t* to = output + z * slice + y * width;
      for (int64_t x = 0; x < width; x++) {
        to[x] = belongs(row[x]) & static_cast<uint8_t>(1 ^ (belongs(up[x]) & belongs(down[x]) & belongs(back[x]) & belongs(front[x])));
      }
      for (int64_t x = 1; x < width; x++) {
        to[x] |= static_cast<uint8_t>(belongs(row[x]) & (1 ^ belongs(row[x - 1])));
        to[x - 1] |= static_cast<uint8_t>(belongs(row[x - 1]) & (1 ^ belongs(row[x])));
      }
      to[0] |= belongs(row[0]);
      to[width - 1] |= belongs(row[width - 1]);
      for (int64_t x = 0; x < width; x++) count += to[x];
    }
  }
  return count;
}

template <class Label>
size_t surfaceOf(const Label* labels, const Extents& shape, uint8_t* output, int64_t label) {
  return label < 0 ? surface<Label, true>(labels, shape, output, 0) : surface<Label, false>(labels, shape, output, static_cast<Label>(label));
}

// extractSurface(labels, shape, output, label): label -1 for any above 0 → number of surface voxels
Napi::Value extractSurface(const Napi::CallbackInfo& info) {
  Extents shape;
  Bytes labels;
  if (!readExtents(info, 1, shape) || !readBytes(info, 0, shape.voxels(), labels)) return info.Env().Undefined();
  uint8_t* output = elements<uint8_t>(info, 2, shape.voxels());
  if (!output) return info.Env().Undefined();
  const int64_t label = integer(info, 3);
  if (labels.elementSize > 2) {
    rangeError(info, "extractSurface: label maps must have 8 or 16 bits");
    return info.Env().Undefined();
  }
  // No voxel has a label that its type cannot hold.
  if (label > (labels.elementSize == 1 ? 255 : 65535)) {
    std::memset(output, 0, shape.voxels());
    return Napi::Number::New(info.Env(), 0);
  }
  const size_t count = labels.elementSize == 1 ? surfaceOf(labels.data, shape, output, label)
                                               : surfaceOf(reinterpret_cast<const uint16_t*>(labels.data), shape, output, label);
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

}  // namespace

void registerStructure(Napi::Env env, Napi::Object exports) {
  exports.Set("connectedComponents", Napi::Function::New(env, connectedComponents));
  exports.Set("distanceTransform", Napi::Function::New(env, distanceTransform));
  exports.Set("extractSurface", Napi::Function::New(env, extractSurface));
}
