#include "sampling.h"

#include <cstdlib>

#include "lanes.h"
#include "majority.h"

namespace VOX_NS {

namespace {

// Whole and fractional part of the input coordinates of one output row; `inside` is 0 where a coordinate lies more than half a voxel outside the image.
struct Row {
  double* position[3];
  int32_t* whole[3];
  float* fraction[3];
  int32_t* inside;
};

class Rows {
 public:
  explicit Rows(int64_t width) : stride_((width + kFloats - 1) / kFloats * kFloats) {
    memory_ = static_cast<char*>(std::malloc(stride_ * (3 * (sizeof(double) + sizeof(int32_t) + sizeof(float)) + sizeof(int32_t))));
    if (!memory_) return;
    char* at = memory_;
    for (auto& p : row.position) p = reinterpret_cast<double*>(take(at, sizeof(double)));
    for (auto& p : row.whole) p = reinterpret_cast<int32_t*>(take(at, sizeof(int32_t)));
    for (auto& p : row.fraction) p = reinterpret_cast<float*>(take(at, sizeof(float)));
    row.inside = reinterpret_cast<int32_t*>(take(at, sizeof(int32_t)));
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { std::free(memory_); }
  bool isReady() const { return memory_ != nullptr; }
  Row row;

 private:
  char* take(char*& at, size_t bytes) {
    char* result = at;
    at += stride_ * bytes;
    return result;
  }
  int64_t stride_;
  char* memory_;
};

}  // namespace

// Coordinates of output row (z, y), as in the TypeScript reference: double precision, so that a coordinate that should be a whole number is one.
// `round` is added before the whole part is taken: 0.5 for the nearest voxel. Coordinates far outside are held near the image.
static void findCoordinates(const SamplePlan& plan, int64_t z, int64_t y, double round, const Row& row) {
  const int64_t width = plan.outExtent[2];
  const int64_t voxels = plan.outExtent[0] * plan.outExtent[1] * width;
  const int64_t start = (z * plan.outExtent[1] + y) * width;
  const double dz = z - (plan.outExtent[0] - 1) / 2.0, dy = y - (plan.outExtent[1] - 1) / 2.0, middle = (width - 1) / 2.0;
  vdouble lanes;
  for (int l = 0; l < kDoubles; l++) lanes[l] = l;
  for (int64_t x = 0; x < width; x += kDoubles) {
    vdouble vz = splatDouble(dz), vy = splatDouble(dy), vx = lanes + (x - middle);
    if (plan.displacement) {
      const float* field = plan.displacement + start + x;
      if (x + kDoubles <= width) {
        vz += widen(field);
        vy += widen(field + voxels);
        vx += widen(field + 2 * voxels);
      } else {
        for (int64_t l = 0; l < width - x; l++) {
          vz[l] += field[l];
          vy[l] += field[voxels + l];
          vx[l] += field[2 * voxels + l];
        }
      }
    }
    vhalfInt inside = vhalfInt{} - 1;
    for (int axis = 0; axis < 3; axis++) {
      const double* m = plan.matrix + 3 * axis;
      vdouble t = plan.center[axis] + (m[0] * vz + m[1] * vy + m[2] * vx);
      const double extent = static_cast<double>(plan.extent[axis]);
      // NaN is outside, and held: the comparisons are false for it.
      const auto isIn = (t >= -0.5) & (t <= extent - 0.5);
      inside &= __builtin_convertvector(isIn, vhalfInt);
      t = isIn ? t : vdouble{};
      t += round;
      vhalfInt whole = __builtin_convertvector(t, vhalfInt);
      vdouble floor = __builtin_convertvector(whole, vdouble);
      const auto isAbove = floor > t;
      whole += __builtin_convertvector(isAbove, vhalfInt);
      floor = isAbove ? floor - 1.0 : floor;
      *reinterpret_cast<vhalfInt*>(row.whole[axis] + x) = whole;
      *reinterpret_cast<vhalf*>(row.fraction[axis] + x) = __builtin_convertvector(t - floor, vhalf);
      *reinterpret_cast<vdouble*>(row.position[axis] + x) = t - floor;
    }
    *reinterpret_cast<vhalfInt*>(row.inside + x) = inside;
  }
}

static inline int64_t held(int64_t i, int64_t extent) { return i < 0 ? 0 : i >= extent ? extent - 1 : i; }

static void sampleNearestRow(const SamplePlan& plan, const Row& row, const float* input, float* to, int64_t channels, const float* fill) {
  const int64_t *n = plan.extent;
  for (int64_t x = 0; x < plan.outExtent[2]; x++) {
    const int64_t at = (held(row.whole[0][x], n[0]) * n[1] + held(row.whole[1][x], n[1])) * n[2] + held(row.whole[2][x], n[2]);
    const float* from = row.inside[x] ? input + at * channels : fill;
    for (int64_t c = 0; c < channels; c++) to[x * channels + c] = from[c];
  }
}

// Edge continuation of a linear interpolation is its value at the coordinate held inside the image.
static inline void holdLinear(int64_t whole, float fraction, int64_t extent, int64_t& a, int64_t& b, float& f) {
  a = whole < 0 ? 0 : whole;
  b = whole + 1 < extent ? whole + 1 : extent - 1;
  f = fraction;
}

static void sampleLinearRow(const SamplePlan& plan, const Row& row, const float* input, float* to, int64_t channels, const float* fill) {
  const int64_t height = plan.extent[1], width = plan.extent[2];
  const int64_t rowStep = width * channels, sliceStep = height * rowStep;
  for (int64_t x = 0; x < plan.outExtent[2]; x++) {
    if (!row.inside[x]) {
      for (int64_t c = 0; c < channels; c++) to[x * channels + c] = fill[c];
      continue;
    }
    int64_t z0, z1, y0, y1, x0, x1;
    float fz, fy, fx;
    holdLinear(row.whole[0][x], row.fraction[0][x], plan.extent[0], z0, z1, fz);
    holdLinear(row.whole[1][x], row.fraction[1][x], height, y0, y1, fy);
    holdLinear(row.whole[2][x], row.fraction[2][x], width, x0, x1, fx);
    const float* p00 = input + z0 * sliceStep + y0 * rowStep;
    const float* p01 = input + z0 * sliceStep + y1 * rowStep;
    const float* p10 = input + z1 * sliceStep + y0 * rowStep;
    const float* p11 = input + z1 * sliceStep + y1 * rowStep;
    if (channels == 1 && x1 == x0 + 1) {
      // Two neighbors of two rows make one vector of four.
      typedef float vpair __attribute__((vector_size(8), aligned(4), may_alias));
      const auto four = [x0](const float* low, const float* high) {
        const vpair a = *reinterpret_cast<const vpair*>(low + x0), b = *reinterpret_cast<const vpair*>(high + x0);
        return vquad{a[0], a[1], b[0], b[1]};
      };
      const vquad near = four(p00, p01), far = four(p10, p11);
      const vquad slice = near + (far - near) * fz;
      const float low = slice[0] + (slice[1] - slice[0]) * fx, high = slice[2] + (slice[3] - slice[2]) * fx;
      to[x] = low + (high - low) * fy;
      continue;
    }
    for (int64_t c = 0; c < channels; c++) {
      const int64_t a = x0 * channels + c, b = x1 * channels + c;
      const float near0 = p00[a] + (p00[b] - p00[a]) * fx, near1 = p01[a] + (p01[b] - p01[a]) * fx;
      const float far0 = p10[a] + (p10[b] - p10[a]) * fx, far1 = p11[a] + (p11[b] - p11[a]) * fx;
      const float near = near0 + (near1 - near0) * fy, far = far0 + (far1 - far0) * fy;
      to[x * channels + c] = near + (far - near) * fz;
    }
  }
}

static bool sample(const SamplePlan& plan, const float* input, float* output, int64_t channels, bool isLinear, const float* fill) {
  Rows rows(plan.outExtent[2]);
  if (!rows.isReady()) return false;
  const int64_t step = plan.outExtent[2] * channels;
  for (int64_t z = 0; z < plan.outExtent[0]; z++) {
    for (int64_t y = 0; y < plan.outExtent[1]; y++, output += step) {
      findCoordinates(plan, z, y, isLinear ? 0 : 0.5, rows.row);
      if (isLinear) sampleLinearRow(plan, rows.row, input, output, channels, fill);
      else sampleNearestRow(plan, rows.row, input, output, channels, fill);
    }
  }
  return true;
}

static inline void cubicWeights(vfloat f, vfloat* w) {
  const vfloat g = 1.f - f;
  w[0] = g * g * g * (1.f / 6);
  w[1] = (4.f - 3.f * f * f * (2.f - f)) * (1.f / 6);
  w[2] = (4.f - 3.f * g * g * (2.f - g)) * (1.f / 6);
  w[3] = f * f * f * (1.f / 6);
}

// Four rows of four coefficients per depth: 16 loads of four neighbors, summed along the depth first.
static bool sampleSpline(const SamplePlan& plan, const float* coefficients, const int64_t* origin, const int64_t* size, float* output, int64_t channels,
                         float fill) {
  const int64_t width = plan.outExtent[2];
  const int64_t padded = (width + kFloats - 1) / kFloats * kFloats;
  Rows rows(width);
  // Weights of each voxel together: four for the depth, the height, the width.
  float* weights = static_cast<float*>(std::malloc(padded * 12 * sizeof(float)));
  if (!rows.isReady() || !weights) {
    std::free(weights);
    return false;
  }
  const Row& row = rows.row;
  const int64_t rowStep = size[2], sliceStep = size[1] * size[2];
  for (int64_t z = 0; z < plan.outExtent[0]; z++) {
    for (int64_t y = 0; y < plan.outExtent[1]; y++, output += width * channels) {
      findCoordinates(plan, z, y, 0, row);
      for (int64_t x = 0; x < width; x += kFloats) {
        for (int axis = 0; axis < 3; axis++) {
          // Whatever rounding did to the bounds, every read stays inside the coefficients.
          vint& whole = *reinterpret_cast<vint*>(row.whole[axis] + x);
          const vint least = vint{} + static_cast<int32_t>(origin[axis] + 1), most = vint{} + static_cast<int32_t>(origin[axis] + size[axis] - 3);
          whole = whole > most ? most : whole;
          whole = whole < least ? least : whole;
          vfloat w[4];
          cubicWeights(load(row.fraction[axis] + x), w);
          for (int k = 0; k < 4; k++) {
            for (int l = 0; l < kFloats; l++) weights[(x + l) * 12 + axis * 4 + k] = w[k][l];
          }
        }
      }
      for (int64_t x = 0; x < width; x++) {
        if (!row.inside[x]) {
          output[x * channels] = fill;
          continue;
        }
        const float* p = coefficients + (row.whole[0][x] - 1 - origin[0]) * sliceStep + (row.whole[1][x] - 1 - origin[1]) * rowStep +
                         (row.whole[2][x] - 1 - origin[2]);
        const float* w = weights + x * 12;
        vquad sum[4];
        for (int j = 0; j < 4; j++) sum[j] = loadQuad(p + j * rowStep) * w[0];
        for (int k = 1; k < 4; k++) {
          for (int j = 0; j < 4; j++) sum[j] += loadQuad(p + k * sliceStep + j * rowStep) * w[k];
        }
        const vquad plane = (sum[0] * w[4] + sum[1] * w[5]) + (sum[2] * w[6] + sum[3] * w[7]);
        const vquad line = plane * loadQuad(w + 8);
        output[x * channels] = (line[0] + line[2]) + (line[1] + line[3]);
      }
    }
  }
  std::free(weights);
  return true;
}

template <class T>
static bool sampleLabel(const SamplePlan& plan, const T* input, T* output, bool isLinear, T fill) {
  Rows rows(plan.outExtent[2]);
  if (!rows.isReady()) return false;
  const Row& row = rows.row;
  const int64_t *n = plan.extent;
  const int64_t width = plan.outExtent[2];
  for (int64_t z = 0; z < plan.outExtent[0]; z++) {
    for (int64_t y = 0; y < plan.outExtent[1]; y++, output += width) {
      findCoordinates(plan, z, y, isLinear ? 0 : 0.5, row);
      for (int64_t x = 0; x < width; x++) {
        if (!isLinear) {
          const int64_t at = (held(row.whole[0][x], n[0]) * n[1] + held(row.whole[1][x], n[1])) * n[2] + held(row.whole[2][x], n[2]);
          output[x] = row.inside[x] ? input[at] : fill;
          continue;
        }
        if (!row.inside[x]) {
          output[x] = fill;
          continue;
        }
        uint32_t corners[8];
        uint32_t different = 0;
        const int64_t x0 = held(row.whole[2][x], n[2]), x1 = held(row.whole[2][x] + 1, n[2]);
        for (int k = 0; k < 4; k++) {
          const T* line = input + (held(row.whole[0][x] + (k >> 1), n[0]) * n[1] + held(row.whole[1][x] + (k & 1), n[1])) * n[2];
          corners[2 * k] = line[x0];
          corners[2 * k + 1] = line[x1];
          different |= (corners[2 * k] ^ corners[0]) | (corners[2 * k + 1] ^ corners[0]);
        }
        output[x] = static_cast<T>(different ? majorityLabel(corners, row.position[0][x], row.position[1][x], row.position[2][x]) : corners[0]);
      }
    }
  }
  return true;
}

const SamplingTable& samplingTable() {
  static const SamplingTable table = {sample, sampleSpline, sampleLabel<uint8_t>, sampleLabel<uint16_t>};
  return table;
}

}  // namespace VOX_NS
