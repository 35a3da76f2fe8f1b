#include "sampling.h"

#include <cstdlib>

#include "simd/lanes.h"
#include "majority.h"

namespace VOX_NS {

namespace {

// Majority is linear interpolation of labels, with its weights in double precision.
enum class Mode { nearest, linear, majority, cubic };

constexpr bool isLinear(Mode mode) { return mode == Mode::linear || mode == Mode::majority; }

// What the voxels of one output row need: the array offset of the first voxel or coefficient that weighs, and how far behind it the coordinate lies.
// `inside` is 0 where the coordinate lies more than half a voxel outside the image; its offset is valid all the same.
struct Row {
  int32_t *offset, *inside;
  // Offset of the nearest voxel, where labels go along.
  int32_t* nearest;
  float* fraction[3];
  double* position[3];
};

class Rows {
 public:
  explicit Rows(int64_t width) : stride_((width + kFloats - 1) / kFloats * kFloats) {
    // Zeros: voxels behind the width, up to a whole vector, lie at offset 0.
    memory_ = static_cast<char*>(std::calloc(stride_, 3 * (sizeof(double) + sizeof(float)) + 3 * sizeof(int32_t)));
    if (!memory_) return;
    char* at = memory_;
    for (auto& p : row.position) p = reinterpret_cast<double*>(take(at, sizeof(double)));
    for (auto& p : row.fraction) p = reinterpret_cast<float*>(take(at, sizeof(float)));
    row.offset = reinterpret_cast<int32_t*>(take(at, sizeof(int32_t)));
    row.inside = reinterpret_cast<int32_t*>(take(at, sizeof(int32_t)));
    row.nearest = reinterpret_cast<int32_t*>(take(at, sizeof(int32_t)));
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { std::free(memory_); }
  bool isReady() const { return memory_ != nullptr; }
  Row row{};

 private:
  char* take(char*& at, size_t bytes) {
    char* result = at;
    at += stride_ * bytes;
    return result;
  }
  int64_t stride_;
  char* memory_;
};

// Bounds of the whole part of a coordinate, and what an offset is made of.
struct Grid {
  double least[3], most[3], step[3];
  int64_t rowStep, sliceStep;
};

Grid gridOf(const SamplePlan& plan, Mode mode) {
  Grid grid{};
  grid.rowStep = plan.extent[2];
  grid.sliceStep = plan.extent[1] * plan.extent[2];
  const double step[3] = {static_cast<double>(grid.sliceStep), static_cast<double>(grid.rowStep), 1};
  for (int axis = 0; axis < 3; axis++) {
    // Of two linear neighbors the second is inside too; an axis of one voxel has no second.
    const int64_t last = plan.extent[axis] - (isLinear(mode) && plan.extent[axis] > 1 ? 2 : 1);
    grid.least[axis] = 0;
    grid.most[axis] = static_cast<double>(last);
    grid.step[axis] = step[axis];
  }
  return grid;
}

// Spline coefficients stand for the positions [origin, origin + size); the first that weighs is the one before the whole part.
Grid gridOf(const int64_t* origin, const int64_t* size) {
  Grid grid{};
  grid.rowStep = size[2];
  grid.sliceStep = size[1] * size[2];
  const double step[3] = {static_cast<double>(grid.sliceStep), static_cast<double>(grid.rowStep), 1};
  for (int axis = 0; axis < 3; axis++) {
    grid.least[axis] = static_cast<double>(origin[axis] + 1);
    grid.most[axis] = static_cast<double>(origin[axis] + size[axis] - 3);
    grid.step[axis] = step[axis];
  }
  return grid;
}

// The three rows of displacements of an output row: from dense fields, or made from a lattice one slice at a time.
class Displacement {
 public:
  explicit Displacement(const SamplePlan& plan) : plan_(plan) {
    if (!plan.lattice) return;
    const int64_t *nodes = plan.nodes, width = plan.outExtent[2];
    // Phases are computed by fours, and the last four may reach beyond the row.
    stride_ = width + plan.step + kFloats;
    phaseStride_ = plan.step + kFloats;
    const int64_t sliceFloats = 3 * nodes[1] * nodes[2];
    memory_ = static_cast<float*>(std::malloc((sliceFloats + 3 * nodes[1] * stride_ + 3 * stride_ + 4 * phaseStride_) * sizeof(float)));
    if (!memory_) return;
    wide_ = memory_ + sliceFloats;
    rows_ = wide_ + 3 * nodes[1] * stride_;
    phases_ = rows_ + 3 * stride_;
    for (int64_t phase = 0; phase < phaseStride_; phase++) {
      const float f = static_cast<float>(phase % plan.step) / static_cast<float>(plan.step), g = 1.f - f;
      phases_[phase] = g * g * g / 6.f;
      phases_[phaseStride_ + phase] = (4.f - 3.f * f * f * (2.f - f)) / 6.f;
      phases_[2 * phaseStride_ + phase] = (4.f - 3.f * g * g * (2.f - g)) / 6.f;
      phases_[3 * phaseStride_ + phase] = f * f * f / 6.f;
    }
    for (int axis = 0; axis < 3; axis++) fields_[axis] = rows_ + axis * stride_;
  }
  Displacement(const Displacement&) = delete;
  Displacement& operator=(const Displacement&) = delete;
  ~Displacement() { std::free(memory_); }
  bool isReady() const { return !plan_.lattice || memory_; }

  // Null where nothing is displaced. The rows hold until the next call.
  const float* const* rowsOf(int64_t z, int64_t y) {
    const int64_t width = plan_.outExtent[2];
    if (plan_.displacement) {
      const int64_t voxels = plan_.outExtent[0] * plan_.outExtent[1] * width;
      for (int axis = 0; axis < 3; axis++) fields_[axis] = plan_.displacement + axis * voxels + (z * plan_.outExtent[1] + y) * width;
      return fields_;
    }
    if (!plan_.lattice) return nullptr;
    if (z != depth_) makeSlice(z);
    for (int axis = 0; axis < 3; axis++) {
      mix(wide_ + (axis * plan_.nodes[1] + y / plan_.step) * stride_, stride_, y % plan_.step, rows_ + axis * stride_, width);
    }
    return fields_;
  }

 private:
  // to = Σ of four rows, `step` floats apart, with the weights of a phase.
  void mix(const float* from, int64_t step, int64_t phase, float* to, int64_t count) const {
    const float* w = phases_ + phase;
    const float w0 = w[0], w1 = w[phaseStride_], w2 = w[2 * phaseStride_], w3 = w[3 * phaseStride_];
    int64_t i = 0;
    for (; i + kFloats <= count; i += kFloats) {
      store(to + i, (load(from + i) * w0 + load(from + step + i) * w1) + (load(from + 2 * step + i) * w2 + load(from + 3 * step + i) * w3));
    }
    for (; i < count; i++) to[i] = (from[i] * w0 + from[step + i] * w1) + (from[2 * step + i] * w2 + from[3 * step + i] * w3);
  }

  // The lattice at depth z, every row of nodes widened to all voxels of the width.
  void makeSlice(int64_t z) {
    depth_ = z;
    const int64_t *nodes = plan_.nodes, plane = nodes[1] * nodes[2], width = plan_.outExtent[2];
    for (int axis = 0; axis < 3; axis++) {
      mix(plan_.lattice + (axis * nodes[0] + z / plan_.step) * plane, plane, z % plan_.step, memory_ + axis * plane, plane);
    }
    for (int64_t row = 0; row < 3 * nodes[1]; row++) {
      const float* from = memory_ + row * nodes[2];
      float* to = wide_ + row * stride_;
      for (int64_t x = 0; x < width; x += plan_.step, from++) {
        // What is written beyond the step, the next node writes over.
        for (int64_t phase = 0; phase < plan_.step; phase += 4) {
          const float* w = phases_ + phase;
          *reinterpret_cast<vquad*>(to + x + phase) = (loadQuad(w) * from[0] + loadQuad(w + phaseStride_) * from[1]) +
                                                      (loadQuad(w + 2 * phaseStride_) * from[2] + loadQuad(w + 3 * phaseStride_) * from[3]);
        }
      }
    }
  }

  const SamplePlan& plan_;
  float *memory_ = nullptr, *wide_ = nullptr, *rows_ = nullptr, *phases_ = nullptr;
  int64_t stride_ = 0, phaseStride_ = 0, depth_ = -1;
  const float* fields_[3] = {};
};

// Adding and taking away 1.5·2^52 rounds to the nearest whole number, for |t| < 2^51.
vdouble floorOf(vdouble t) {
  const vdouble whole = (t + 6755399441055744.0) - 6755399441055744.0;
  return whole > t ? whole - 1.0 : whole;
}

// Coordinates of output row (z, y), in double precision and in the order of the TypeScript reference, so that a coordinate that should be a whole number
// is one.
template <Mode kMode, bool kLabels = false>
void findRow(const SamplePlan& plan, const Grid& grid, Displacement& displacement, int64_t z, int64_t y, const Row& row) {
  const int64_t width = plan.outExtent[2];
  const float* const* fields = displacement.rowsOf(z, y);
  const double dz = z - (plan.outExtent[0] - 1) / 2.0, dy = y - (plan.outExtent[1] - 1) / 2.0, middle = (width - 1) / 2.0;
  vdouble lanes;
  for (int l = 0; l < kDoubles; l++) lanes[l] = l;
  // Copies: what is stored below could otherwise be the plan itself.
  double matrix[9], center[3], last[3], least[3], most[3], step[3];
  const double voxelStep[3] = {static_cast<double>(plan.extent[1] * plan.extent[2]), static_cast<double>(plan.extent[2]), 1};
  for (int i = 0; i < 9; i++) matrix[i] = plan.matrix[i];
  for (int axis = 0; axis < 3; axis++) {
    center[axis] = plan.center[axis];
    last[axis] = static_cast<double>(plan.extent[axis] - 1);
    least[axis] = grid.least[axis];
    most[axis] = grid.most[axis];
    step[axis] = grid.step[axis];
  }
  for (int64_t x = 0; x < width; x += kDoubles) {
    vdouble vz = splatDouble(dz), vy = splatDouble(dy), vx = lanes + (x - middle);
    if (fields) {
      if (x + kDoubles <= width) {
        vz += widen(fields[0] + x);
        vy += widen(fields[1] + x);
        vx += widen(fields[2] + x);
      } else {
        for (int64_t l = 0; l < width - x; l++) {
          vz[l] += fields[0][x + l];
          vy[l] += fields[1][x + l];
          vx[l] += fields[2][x + l];
        }
      }
    }
    vdouble offset = {}, nearest = {};
    // All bits of a lane where it is inside.
    vlong inside = ~vlong{};
    for (int axis = 0; axis < 3; axis++) {
      const double* m = matrix + 3 * axis;
      vdouble t = center[axis] + (m[0] * vz + m[1] * vy + m[2] * vx);
      // NaN is outside, and is held at 0: the comparisons are false for it.
      const auto isIn = (t >= -0.5) & (t <= last[axis] + 0.5);
      inside &= (vlong)isIn;
      t = isIn ? t : vdouble{};
      if (isLinear(kMode)) {
        // Linear interpolation of the continued edge is the value at the coordinate held inside the image.
        t = t < 0.0 ? vdouble{} : t;
        t = t > last[axis] ? splatDouble(last[axis]) : t;
      }
      if (kLabels) {
        vdouble voxel = floorOf(t + 0.5);
        voxel = voxel < 0.0 ? vdouble{} : voxel;
        voxel = voxel > last[axis] ? splatDouble(last[axis]) : voxel;
        nearest += voxel * voxelStep[axis];
      }
      vdouble whole = floorOf(kMode == Mode::nearest ? t + 0.5 : t);
      whole = whole < least[axis] ? splatDouble(least[axis]) : whole;
      whole = whole > most[axis] ? splatDouble(most[axis]) : whole;
      const vdouble rest = t - whole;
      offset += (whole - least[axis]) * step[axis];
      if (kMode == Mode::majority) *reinterpret_cast<vdouble*>(row.position[axis] + x) = rest;
      else if (kMode != Mode::nearest) *reinterpret_cast<vhalf*>(row.fraction[axis] + x) = __builtin_convertvector(rest, vhalf);
    }
    *reinterpret_cast<vhalfInt*>(row.offset + x) = __builtin_convertvector(offset, vhalfInt);
    *reinterpret_cast<vhalfInt*>(row.inside + x) = __builtin_convertvector(inside, vhalfInt);
    if (kLabels) *reinterpret_cast<vhalfInt*>(row.nearest + x) = __builtin_convertvector(nearest, vhalfInt);
  }
}

typedef double vtwo __attribute__((vector_size(16), aligned(8), may_alias));
typedef double single __attribute__((aligned(4), may_alias));
typedef int32_t vquadInt __attribute__((vector_size(16), aligned(4), may_alias));

// Two neighbors of two voxels, as one vector of four.
vquad pairOf(const float* a, const float* b) {
  const vtwo both = {*reinterpret_cast<const single*>(a), *reinterpret_cast<const single*>(b)};
  return (vquad)both;
}

// Exact at both ends, which a + (b - a)·f is not.
template <class V>
V between(V a, V b, V f, V rest) {
  return a * rest + b * f;
}

// Four voxels at once: eight loads of two neighbors for each slice, then three linear steps.
vquad linearOfFour(const float* input, const int32_t* offset, int64_t rowStep, int64_t sliceStep, vquad fz, vquad fy, vquad fx) {
  const float *a = input + offset[0], *b = input + offset[1], *c = input + offset[2], *d = input + offset[3];
  const vquad gz = 1.f - fz, gy = 1.f - fy, gx = 1.f - fx;
  vquad planes[2];
  for (int slice = 0; slice < 2; slice++) {
    vquad lines[2];
    for (int line = 0; line < 2; line++) {
      const int64_t step = slice * sliceStep + line * rowStep;
      const vquad ab = pairOf(a + step, b + step), cd = pairOf(c + step, d + step);
      const vquad first = shuffled<0, 2, 4, 6>(ab, cd), second = shuffled<1, 3, 5, 7>(ab, cd);
      lines[line] = between(first, second, fx, gx);
    }
    planes[slice] = between(lines[0], lines[1], fy, gy);
  }
  return between(planes[0], planes[1], fz, gz);
}

void sampleLinearRow(const SamplePlan& plan, const Row& row, const float* input, float* to, int64_t channels, const float* fill) {
  const int64_t width = plan.outExtent[2];
  const int64_t xStep = plan.extent[2] > 1 ? 1 : 0, rowStep = plan.extent[1] > 1 ? plan.extent[2] : 0;
  const int64_t sliceStep = plan.extent[0] > 1 ? plan.extent[1] * plan.extent[2] : 0;
  int64_t x = 0;
  if (channels == 1 && xStep == 1) {
    for (; x + 4 <= width; x += 4) {
      const vquad value =
          linearOfFour(input, row.offset + x, rowStep, sliceStep, loadQuad(row.fraction[0] + x), loadQuad(row.fraction[1] + x), loadQuad(row.fraction[2] + x));
      const vquadInt inside = *reinterpret_cast<const vquadInt*>(row.inside + x);
      *reinterpret_cast<vquad*>(to + x) = inside != 0 ? value : vquad{} + fill[0];
    }
  }
  for (; x < width; x++) {
    const float* p = input + static_cast<int64_t>(row.offset[x]) * channels;
    const float fz = row.fraction[0][x], fy = row.fraction[1][x], fx = row.fraction[2][x];
    for (int64_t c = 0; c < channels; c++) {
      const auto at = [&](int64_t step) { return p[step * channels + c]; };
      const auto line = [&](int64_t step) { return between(at(step), at(step + xStep), fx, 1.f - fx); };
      const auto plane = [&](int64_t step) { return between(line(step), line(step + rowStep), fy, 1.f - fy); };
      to[x * channels + c] = row.inside[x] ? between(plane(0), plane(sliceStep), fz, 1.f - fz) : fill[c];
    }
  }
}

void sampleNearestRow(int64_t width, const Row& row, const float* input, float* to, int64_t channels, const float* fill) {
  if (channels == 1) {
    for (int64_t x = 0; x < width; x++) to[x] = row.inside[x] ? input[row.offset[x]] : fill[0];
    return;
  }
  for (int64_t x = 0; x < width; x++) {
    const float* from = row.inside[x] ? input + static_cast<int64_t>(row.offset[x]) * channels : fill;
    for (int64_t c = 0; c < channels; c++) to[x * channels + c] = from[c];
  }
}

template <class T>
void takeLabels(const SamplePlan& plan, const Row& row, int64_t at) {
  const T *from = static_cast<const T*>(plan.labels), fill = static_cast<T>(plan.labelFill);
  T* to = static_cast<T*>(plan.labelOutput) + at;
  for (int64_t x = 0; x < plan.outExtent[2]; x++) to[x] = row.inside[x] ? from[row.nearest[x]] : fill;
}

// Where an output row takes its voxels from, and its labels while they are known.
template <Mode kMode>
void findRowAndLabels(const SamplePlan& plan, const Grid& grid, Displacement& displacement, int64_t z, int64_t y, const Row& row) {
  if (!plan.labels) {
    findRow<kMode>(plan, grid, displacement, z, y, row);
    return;
  }
  findRow<kMode, true>(plan, grid, displacement, z, y, row);
  const int64_t at = (z * plan.outExtent[1] + y) * plan.outExtent[2];
  if (plan.labelBytes == 1) takeLabels<uint8_t>(plan, row, at);
  else takeLabels<uint16_t>(plan, row, at);
}

bool sample(const SamplePlan& plan, const float* input, float* output, int64_t channels, bool linear, const float* fill) {
  const int64_t width = plan.outExtent[2];
  Rows rows(width);
  Displacement displacement(plan);
  if (!rows.isReady() || !displacement.isReady()) return false;
  const Grid grid = gridOf(plan, linear ? Mode::linear : Mode::nearest);
  for (int64_t z = 0; z < plan.outExtent[0]; z++) {
    for (int64_t y = 0; y < plan.outExtent[1]; y++, output += width * channels) {
      if (linear) {
        findRowAndLabels<Mode::linear>(plan, grid, displacement, z, y, rows.row);
        sampleLinearRow(plan, rows.row, input, output, channels, fill);
      } else {
        findRowAndLabels<Mode::nearest>(plan, grid, displacement, z, y, rows.row);
        sampleNearestRow(width, rows.row, input, output, channels, fill);
      }
    }
  }
  return true;
}

// Weights of the coefficients at floor(t)-1 … floor(t)+2, times 6, for the fractions of a block of voxels.
void cubicWeights(vfloat f, float (*to)[kFloats]) {
  const vfloat g = 1.f - f;
  store(to[0], g * g * g);
  store(to[1], 4.f - 3.f * f * f * (2.f - f));
  store(to[2], 4.f - 3.f * g * g * (2.f - g));
  store(to[3], f * f * f);
}

// Every second lane of a and b behind each other, from the first or from the second on.
template <int... I>
vfloat evenLanes(vfloat a, vfloat b, Indices<I...>) {
  return shuffled<(2 * I)...>(a, b);
}
template <int... I>
vfloat oddLanes(vfloat a, vfloat b, Indices<I...>) {
  return shuffled<(2 * I + 1)...>(a, b);
}

// A block of as many voxels as a vector has lanes. Of each, 64 coefficients are summed along depth and height, as 16 loads of four neighbors; the sums along
// the width are those of all voxels at once. Weights lie on the stack, so that the address of each is the block's plus a constant.
void splineBlock(const float* coefficients, const int32_t* offset, int64_t rowStep, int64_t sliceStep, vfloat fz, vfloat fy, vfloat fx, float* to) {
  alignas(64) float weights[8][kFloats], planes[4 * kFloats];
  cubicWeights(fz, weights);
  cubicWeights(fy, weights + 4);
  const int64_t step2 = 2 * sliceStep, step3 = 3 * sliceStep;
  for (int l = 0; l < kFloats; l++) {
    const float *p0 = coefficients + offset[l], *p1 = p0 + rowStep, *p2 = p1 + rowStep, *p3 = p2 + rowStep;
    const float z0 = weights[0][l], z1 = weights[1][l], z2 = weights[2][l], z3 = weights[3][l];
    const auto along = [=](const float* p) {
      return (loadQuad(p) * z0 + loadQuad(p + sliceStep) * z1) + (loadQuad(p + step2) * z2 + loadQuad(p + step3) * z3);
    };
    const vquad plane = (along(p0) * weights[4][l] + along(p1) * weights[5][l]) + (along(p2) * weights[6][l] + along(p3) * weights[7][l]);
    *reinterpret_cast<vquad*>(planes + 4 * l) = plane;
  }
  // From four neighbors of one voxel behind those of another to one neighbor of all voxels.
  typedef AllIndices<kFloats> All;
  const vfloat a = load(planes), b = load(planes + kFloats), c = load(planes + 2 * kFloats), d = load(planes + 3 * kFloats);
  const vfloat evenAb = evenLanes(a, b, All()), oddAb = oddLanes(a, b, All()), evenCd = evenLanes(c, d, All()), oddCd = oddLanes(c, d, All());
  const vfloat p0 = evenLanes(evenAb, evenCd, All()), p1 = evenLanes(oddAb, oddCd, All());
  const vfloat p2 = oddLanes(evenAb, evenCd, All()), p3 = oddLanes(oddAb, oddCd, All());
  const vfloat g = 1.f - fx;
  const vfloat line = (p0 * (g * g * g) + p1 * (4.f - 3.f * fx * fx * (2.f - fx))) + (p2 * (4.f - 3.f * g * g * (2.f - g)) + p3 * (fx * fx * fx));
  store(to, line * (1.f / 216));
}

bool sampleSpline(const SamplePlan& plan, const float* coefficients, const int64_t* origin, const int64_t* size, float* output, int64_t channels, float fill) {
  const int64_t width = plan.outExtent[2];
  Rows rows(width);
  Displacement displacement(plan);
  if (!rows.isReady() || !displacement.isReady()) return false;
  const Row& row = rows.row;
  const Grid grid = gridOf(origin, size);
  alignas(64) float values[kFloats];
  for (int64_t z = 0; z < plan.outExtent[0]; z++) {
    for (int64_t y = 0; y < plan.outExtent[1]; y++, output += width * channels) {
      findRowAndLabels<Mode::cubic>(plan, grid, displacement, z, y, row);
      for (int64_t x = 0; x < width; x += kFloats) {
        const int64_t count = width - x < kFloats ? width - x : kFloats;
        int32_t isAnyInside = 0;
        for (int l = 0; l < kFloats; l++) isAnyInside |= row.inside[x + l];
        if (isAnyInside) {
          splineBlock(coefficients, row.offset + x, grid.rowStep, grid.sliceStep, load(row.fraction[0] + x), load(row.fraction[1] + x),
                      load(row.fraction[2] + x), values);
        }
        for (int64_t l = 0; l < count; l++) output[(x + l) * channels] = row.inside[x + l] ? values[l] : fill;
      }
    }
  }
  return true;
}

template <class T>
void sampleLinearLabels(const SamplePlan& plan, const Row& row, const T* input, T* to, T fill) {
  const int64_t xStep = plan.extent[2] > 1 ? 1 : 0, rowStep = plan.extent[1] > 1 ? plan.extent[2] : 0;
  const int64_t sliceStep = plan.extent[0] > 1 ? plan.extent[1] * plan.extent[2] : 0;
  const int64_t steps[4] = {0, rowStep, sliceStep, sliceStep + rowStep};
  for (int64_t x = 0; x < plan.outExtent[2]; x++) {
    if (!row.inside[x]) {
      to[x] = fill;
      continue;
    }
    const T* p = input + row.offset[x];
    uint32_t corners[8], different = 0;
    for (int k = 0; k < 4; k++) {
      corners[2 * k] = p[steps[k]];
      corners[2 * k + 1] = p[steps[k] + xStep];
      different |= (corners[2 * k] ^ corners[0]) | (corners[2 * k + 1] ^ corners[0]);
    }
    to[x] = static_cast<T>(different ? majorityLabel(corners, row.position[0][x], row.position[1][x], row.position[2][x]) : corners[0]);
  }
}

template <class T>
bool sampleLabel(const SamplePlan& plan, const T* input, T* output, bool byMajority, T fill) {
  const int64_t width = plan.outExtent[2];
  Rows rows(width);
  Displacement displacement(plan);
  if (!rows.isReady() || !displacement.isReady()) return false;
  const Row& row = rows.row;
  const Grid grid = gridOf(plan, byMajority ? Mode::majority : Mode::nearest);
  for (int64_t z = 0; z < plan.outExtent[0]; z++) {
    for (int64_t y = 0; y < plan.outExtent[1]; y++, output += width) {
      if (byMajority) {
        findRow<Mode::majority>(plan, grid, displacement, z, y, row);
        sampleLinearLabels(plan, row, input, output, fill);
      } else {
        findRow<Mode::nearest>(plan, grid, displacement, z, y, row);
        for (int64_t x = 0; x < width; x++) output[x] = row.inside[x] ? input[row.offset[x]] : fill;
      }
    }
  }
  return true;
}

}  // namespace

const SamplingTable& samplingTable() {
  static const SamplingTable table = {sample, sampleSpline, sampleLabel<uint8_t>, sampleLabel<uint16_t>};
  return table;
}

}  // namespace VOX_NS
