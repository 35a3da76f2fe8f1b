#include "simd/volume/sampling.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>
#include <vector>

#include "axis-table.h"
#include "families.h"
#include "isa.h"
#include "simd/volume/intensity.h"
#include "volume-arguments.h"

VOX_DECLARE(IntensityTable, intensityTable)
VOX_DECLARE(SamplingTable, samplingTable)
VOX_DECLARE(SeparableTable, separableTable)

namespace {

bool memoryError(const Napi::CallbackInfo& info) {
  Napi::Error::New(info.Env(), "not enough memory for sampling").ThrowAsJavaScriptException();
  return false;
}

bool readNumbers(const Napi::CallbackInfo& info, size_t i, uint32_t count, double* values) {
  if (!info[i].IsArray() || info[i].As<Napi::Array>().Length() != count) return rangeError(info, "argument " + std::to_string(i) + " must hold numbers");
  for (uint32_t k = 0; k < count; k++) {
    values[k] = info[i].As<Napi::Array>().Get(k).ToNumber().DoubleValue();
    if (!std::isfinite(values[k])) return rangeError(info, "argument " + std::to_string(i) + " must hold finite numbers");
  }
  return true;
}

// Arguments from the center on: center, matrix, displacement | undefined.
// Behind order and fill: lattice | undefined, nodes, step.
bool readPlan(const Napi::CallbackInfo& info, const Extents& shape, const Extents& out, SamplePlan& plan) {
  const int64_t from[3] = {shape.depth, shape.height, shape.width}, to[3] = {out.depth, out.height, out.width};
  for (int axis = 0; axis < 3; axis++) {
    if (from[axis] >= (1 << 30) || to[axis] >= (1 << 30)) return rangeError(info, "extents must be below 2^30");
    plan.extent[axis] = from[axis];
    plan.outExtent[axis] = to[axis];
  }
  // Offsets of voxels and spline coefficients (four more per axis at most) are 32-bit.
  const double reach = (from[0] + 4.0) * (from[1] + 4.0) * (from[2] + 4.0);
  if (!(reach < 2147483647.0)) return rangeError(info, "the volume must have less than 2^31 voxels");
  if (!readNumbers(info, 4, 3, plan.center) || !readNumbers(info, 5, 9, plan.matrix)) return false;
  plan.labels = plan.labelOutput = nullptr;
  plan.displacement = nullptr;
  if (info[6].IsTypedArray()) {
    plan.displacement = elements<float>(info, 6, 3 * out.voxels());
    if (!plan.displacement) return false;
  }
  plan.lattice = nullptr;
  if (info[9].IsTypedArray()) {
    plan.step = integer(info, 11);
    if (!readTriple(info, 10, plan.nodes)) return false;
    for (int axis = 0; axis < 3; axis++) {
      if (plan.step < 1 || plan.step > 100000 || plan.nodes[axis] != (to[axis] - 1) / plan.step + 4) return rangeError(info, "the lattice must fit the output");
    }
    plan.lattice = elements<float>(info, 9, static_cast<size_t>(3 * plan.nodes[0] * plan.nodes[1] * plan.nodes[2]));
    if (!plan.lattice) return false;
  }
  return true;
}

// A label map beside the image: input, output, label for what lies outside. Absent where the input is undefined.
bool readLabels(const Napi::CallbackInfo& info, const Extents& shape, const Extents& out, SamplePlan& plan) {
  if (!info[12].IsTypedArray()) return true;
  Bytes input, output;
  if (!readBytes(info, 12, shape.voxels(), input) || !readBytes(info, 13, out.voxels(), output)) return false;
  if (input.elementSize != output.elementSize || input.elementSize > 2) return rangeError(info, "sampleImage: label maps must both have 8 or both 16 bits");
  plan.labels = input.data;
  plan.labelOutput = output.data;
  plan.labelBytes = static_cast<int>(input.elementSize);
  plan.labelFill = static_cast<uint16_t>(integer(info, 14));
  return true;
}

struct Part {
  int64_t origin[3], size[3], begin[3], extent[3];
};

// Spline coefficients that the coordinates can reach (positions [origin, origin + size)) and the voxels that they are made of. False when no coordinate
// lies inside the image.
bool findPart(const SamplePlan& plan, int64_t voxels, Part& part) {
  double low[3], high[3];
  for (int axis = 0; axis < 3; axis++) {
    float least = 0, most = 0;
    if (plan.displacement) VOX_SELECT(intensityTable).range(plan.displacement + axis * voxels, voxels, &least, &most);
    // A spline lies between its coefficients.
    if (plan.lattice) {
      const int64_t nodes = plan.nodes[0] * plan.nodes[1] * plan.nodes[2];
      VOX_SELECT(intensityTable).range(plan.lattice + axis * nodes, nodes, &least, &most);
    }
    const double reach = (plan.outExtent[axis] - 1) / 2.0;
    low[axis] = -reach + least;
    high[axis] = reach + most;
  }
  for (int axis = 0; axis < 3; axis++) {
    double first = plan.center[axis], last = plan.center[axis];
    for (int k = 0; k < 3; k++) {
      const double a = plan.matrix[3 * axis + k] * low[k], b = plan.matrix[3 * axis + k] * high[k];
      first += std::min(a, b);
      last += std::max(a, b);
    }
    const int64_t n = plan.extent[axis];
    if (!(first <= n - 0.5 && last >= -0.5)) return false;
    // One position more for rounding; coordinates reach half a voxel beyond the image, weights one coefficient before and two after.
    const int64_t from = static_cast<int64_t>(std::floor(std::max(first, -0.5))) - 2;
    const int64_t to = static_cast<int64_t>(std::floor(std::min(last, n - 0.5))) + 3;
    part.origin[axis] = std::max<int64_t>(from, -2);
    part.size[axis] = std::min<int64_t>(to, n + 1) - part.origin[axis] + 1;
    part.begin[axis] = std::min(n - 1, std::max<int64_t>(0, part.origin[axis] - AxisTable::kSplineReach));
    const int64_t end = std::min(n, part.origin[axis] + part.size[axis] + AxisTable::kSplineReach);
    part.extent[axis] = std::max<int64_t>(1, end - part.begin[axis]);
  }
  return true;
}

struct ChannelSource {
  const float* input;
  int64_t rowFloats, sliceFloats, channels, width;
};

void takeChannel(void* context, int64_t z, int64_t row, int64_t rows, float* buffer) {
  const ChannelSource& source = *static_cast<ChannelSource*>(context);
  for (int64_t y = 0; y < rows; y++) {
    const float* from = source.input + z * source.sliceFloats + (row + y) * source.rowFloats;
    for (int64_t x = 0; x < source.width; x++) buffer[y * source.width + x] = from[x * source.channels];
  }
}

bool sampleCubic(const Napi::CallbackInfo& info, SamplePlan& plan, const float* input, float* output, int64_t channels, size_t outVoxels,
                 const float* fill) {
  Part part;
  if (!findPart(plan, static_cast<int64_t>(outVoxels), part)) {
    for (size_t v = 0; v < outVoxels; v++) std::copy(fill, fill + channels, output + v * channels);
    if (plan.labels && plan.labelBytes == 1) std::fill_n(static_cast<uint8_t*>(plan.labelOutput), outVoxels, static_cast<uint8_t>(plan.labelFill));
    else if (plan.labels) std::fill_n(static_cast<uint16_t*>(plan.labelOutput), outVoxels, plan.labelFill);
    return true;
  }
  std::vector<AxisTable> tables;
  for (int axis = 0; axis < 3; axis++) {
    tables.push_back(AxisTable::splineCoefficients(part.begin[axis], part.extent[axis], part.origin[axis], part.size[axis]));
  }
  // Four floats more: the last row is read by fours.
  const std::unique_ptr<float[]> coefficients(new (std::nothrow) float[part.size[0] * part.size[1] * part.size[2] + 4]);
  if (!coefficients) return memoryError(info);
  const int64_t rowFloats = plan.extent[2] * channels, sliceFloats = plan.extent[1] * rowFloats;
  for (int64_t c = 0; c < channels; c++) {
    const float* first = input + part.begin[0] * sliceFloats + part.begin[1] * rowFloats + part.begin[2] * channels + c;
    SeparablePlan separable{};
    for (int axis = 0; axis < 3; axis++) separable.axes[axis] = tables[axis].plan();
    separable.channels = 1;
    separable.input = first;
    separable.inputRow = rowFloats;
    separable.inputSlice = sliceFloats;
    separable.output = coefficients.get();
    ChannelSource source = {first, rowFloats, sliceFloats, channels, part.extent[2]};
    if (channels > 1) {
      separable.generate = takeChannel;
      separable.context = &source;
    }
    if (!VOX_SELECT(separableTable).run(separable)) return memoryError(info);
    if (!VOX_SELECT(samplingTable).sampleSpline(plan, coefficients.get(), part.origin, part.size, output + c, channels, fill[c])) return memoryError(info);
    // The first channel has taken the labels along.
    plan.labels = nullptr;
  }
  return true;
}

// sampleImage(input, shape, output, outShape, center, matrix, displacement | undefined, order, fill, lattice | undefined, nodes, step, labels | undefined,
// labelOutput, labelFill)
void sampleImage(const Napi::CallbackInfo& info) {
  Extents shape, out;
  SamplePlan plan;
  if (!readExtents(info, 1, shape) || !readExtents(info, 3, out) || !readPlan(info, shape, out, plan)) return;
  const int64_t order = integer(info, 7);
  if (shape.channels != out.channels || (order != 0 && order != 1 && order != 3)) {
    rangeError(info, "sampleImage: channels must be equal and order 0, 1 or 3");
    return;
  }
  const float* input = elements<float>(info, 0, shape.count());
  float* output = input ? elements<float>(info, 2, out.count()) : nullptr;
  const double* values = output ? elements<double>(info, 8, shape.channels) : nullptr;
  if (!values) return;
  if (!readLabels(info, shape, out, plan)) return;
  const std::vector<float> fill(values, values + shape.channels);
  if (order == 3) {
    sampleCubic(info, plan, input, output, shape.channels, out.voxels(), fill.data());
  } else if (!VOX_SELECT(samplingTable).sample(plan, input, output, shape.channels, order == 1, fill.data())) {
    memoryError(info);
  }
}

// sampleLabel(input, shape, output, outShape, center, matrix, displacement | undefined, order, fill)
void sampleLabel(const Napi::CallbackInfo& info) {
  Extents shape, out;
  SamplePlan plan;
  Bytes input, output;
  if (!readExtents(info, 1, shape) || !readExtents(info, 3, out) || !readPlan(info, shape, out, plan)) return;
  const int64_t order = integer(info, 7), fill = integer(info, 8);
  if (shape.channels != 1 || out.channels != 1 || (order != 0 && order != 1)) {
    rangeError(info, "sampleLabel: channels must be 1 and order 0 or 1");
    return;
  }
  if (!readBytes(info, 0, shape.count(), input) || !readBytes(info, 2, out.count(), output)) return;
  if (input.elementSize != output.elementSize || input.elementSize > 2) {
    rangeError(info, "sampleLabel: label maps must both have 8 or both 16 bits");
    return;
  }
  const SamplingTable& table = VOX_SELECT(samplingTable);
  const bool isDone = input.elementSize == 1 ? table.sampleLabel8(plan, input.data, output.data, order == 1, static_cast<uint8_t>(fill))
                                             : table.sampleLabel16(plan, reinterpret_cast<const uint16_t*>(input.data),
                                                                   reinterpret_cast<uint16_t*>(output.data), order == 1, static_cast<uint16_t>(fill));
  if (!isDone) memoryError(info);
}

}  // namespace

void registerSampling(Napi::Env env, Napi::Object exports) {
  exports.Set("sampleImage", Napi::Function::New(env, sampleImage));
  exports.Set("sampleLabel", Napi::Function::New(env, sampleLabel));
}
