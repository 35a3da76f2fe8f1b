#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "axis-table.h"
#include "families.h"
#include "isa.h"
#include "simd/volume/intensity.h"
#include "simd/volume/labels.h"
#include "simd/volume/separable.h"
#include "volume-arguments.h"

VOX_DECLARE(IntensityTable, intensityTable)
VOX_DECLARE(LabelTable, labelTable)
VOX_DECLARE(SeparableTable, separableTable)

namespace {

bool run(const Napi::CallbackInfo& info, const SeparablePlan& plan) {
  if (VOX_SELECT(separableTable).run(plan)) return true;
  Napi::Error::New(info.Env(), "not enough memory for the intermediate volume").ThrowAsJavaScriptException();
  return false;
}

SeparablePlan planOf(const AxisTable& depth, const AxisTable& height, const AxisTable& width, int64_t channels, const float* input, float* output) {
  SeparablePlan plan{};
  plan.axes[0] = depth.plan();
  plan.axes[1] = height.plan();
  plan.axes[2] = width.plan();
  plan.channels = channels;
  plan.input = input;
  plan.inputRow = plan.axes[2].extent * channels;
  plan.inputSlice = plan.axes[1].extent * plan.inputRow;
  plan.output = output;
  return plan;
}

// resampleImage(input, shape, output, outShape, order)
void resampleImage(const Napi::CallbackInfo& info) {
  Extents shape, out;
  if (!readExtents(info, 1, shape) || !readExtents(info, 3, out)) return;
  const int64_t order = integer(info, 4);
  if (shape.channels != out.channels || (order != 0 && order != 1 && order != 3)) {
    rangeError(info, "resampleImage: channels must be equal and order 0, 1 or 3");
    return;
  }
  const float* input = elements<float>(info, 0, shape.count());
  float* output = input ? elements<float>(info, 2, out.count()) : nullptr;
  if (!output) return;
  const AxisTable depth = AxisTable::resample(shape.depth, out.depth, static_cast<int>(order));
  const AxisTable height = AxisTable::resample(shape.height, out.height, static_cast<int>(order));
  const AxisTable width = AxisTable::resample(shape.width, out.width, static_cast<int>(order));
  SeparablePlan plan = planOf(depth, height, width, shape.channels, input, output);
  std::vector<float> low(shape.channels), high(shape.channels);
  if (order != 0) {
    if (shape.channels == 1) {
      VOX_SELECT(intensityTable).range(input, shape.count(), low.data(), high.data());
    } else {
      std::vector<ChannelMoments> moments(shape.channels);
      const float all = std::numeric_limits<float>::infinity();
      VOX_SELECT(intensityTable).moments(input, shape.voxels(), static_cast<int>(shape.channels), -all, all, moments.data());
      for (int64_t c = 0; c < shape.channels; c++) {
        low[c] = static_cast<float>(moments[c].min);
        high[c] = static_cast<float>(moments[c].max);
      }
    }
    plan.low = low.data();
    plan.high = high.data();
  }
  run(info, plan);
}

// gaussianFilter(input, shape, output, sigma, mode, truncate): mode 0 zero, 1 edge, 2 symmetric
void gaussianFilter(const Napi::CallbackInfo& info) {
  Extents shape;
  if (!readExtents(info, 1, shape)) return;
  const float* input = elements<float>(info, 0, shape.count());
  float* output = input ? elements<float>(info, 2, shape.count()) : nullptr;
  if (!output) return;
  if (!info[3].IsArray()) {
    rangeError(info, "gaussianFilter: sigma must be three numbers");
    return;
  }
  const int64_t mode = integer(info, 4);
  const double truncate = number(info, 5);
  double sigma[3];
  for (uint32_t axis = 0; axis < 3; axis++) {
    sigma[axis] = info[3].As<Napi::Array>().Get(axis).ToNumber().DoubleValue();
    if (!(sigma[axis] >= 0 && sigma[axis] * truncate < 1e5) || mode < 0 || mode > 2 || !(truncate > 0)) {
      rangeError(info, "gaussianFilter: sigma, mode or truncate is out of range");
      return;
    }
  }
  const Continuation how = static_cast<Continuation>(mode);
  const AxisTable depth = AxisTable::gaussian(shape.depth, sigma[0], truncate, how);
  const AxisTable height = AxisTable::gaussian(shape.height, sigma[1], truncate, how);
  const AxisTable width = AxisTable::gaussian(shape.width, sigma[2], truncate, how);
  run(info, planOf(depth, height, width, shape.channels, input, output));
}

struct NoiseSource {
  const uint32_t* key;
  uint32_t stream;
  int64_t rowFloats, sliceFloats;
};

void makeNoise(void* context, int64_t z, int64_t row, int64_t rows, float* buffer) {
  const NoiseSource& source = *static_cast<NoiseSource*>(context);
  const size_t begin = z * source.sliceFloats + row * source.rowFloats;
  VOX_SELECT(intensityTable).uniform(buffer, begin, begin + rows * source.rowFloats, source.stream, source.key);
}

// elasticLattice(values, shape, step, key, alpha, sigma): see the TypeScript reference
void elasticLattice(const Napi::CallbackInfo& info) {
  Extents shape;
  if (!readExtents(info, 1, shape)) return;
  const int64_t step = integer(info, 2);
  const double alpha = number(info, 4), sigma = number(info, 5);
  if (!(sigma > 0 && sigma < 1e4) || !std::isfinite(alpha) || step < 1 || step > 100000) {
    rangeError(info, "elasticLattice: step, sigma or alpha is out of range");
    return;
  }
  const uint32_t* key = elements<uint32_t>(info, 3, 4);
  if (!key) return;
  const AxisTable axes[3] = {AxisTable::smoothedLattice(shape.depth, sigma, step), AxisTable::smoothedLattice(shape.height, sigma, step),
                             AxisTable::smoothedLattice(shape.width, sigma, step)};
  const size_t nodes = static_cast<size_t>(axes[0].outExtent() * axes[1].outExtent() * axes[2].outExtent());
  float* values = elements<float>(info, 0, 3 * nodes);
  if (!values) return;
  NoiseSource source = {key, 0, shape.width, shape.height * shape.width};
  for (uint32_t component = 0; component < 3; component++) {
    source.stream = component + 1;
    SeparablePlan plan = planOf(axes[0], axes[1], axes[2], 1, nullptr, values + component * nodes);
    plan.generate = makeNoise;
    plan.context = &source;
    if (!run(info, plan)) return;
  }
  for (size_t i = 0; i < 3 * nodes; i++) values[i] *= static_cast<float>(alpha);
}

// elasticField(output, shape, key, alpha, sigma)
void elasticField(const Napi::CallbackInfo& info) {
  Extents shape;
  if (!readExtents(info, 1, shape)) return;
  float* output = elements<float>(info, 0, 3 * shape.voxels());
  const uint32_t* key = output ? elements<uint32_t>(info, 2, 4) : nullptr;
  if (!key) return;
  const double alpha = number(info, 3), sigma = number(info, 4);
  if (!(sigma > 0 && sigma < 1e4) || !std::isfinite(alpha)) {
    rangeError(info, "elasticField: sigma or alpha is out of range");
    return;
  }
  // With three nodes to a deviation the spline through them is good to 1e-4 of the field's deviation.
  const int64_t step = static_cast<int64_t>(sigma / 2.9);
  NoiseSource source = {key, 0, shape.width, shape.height * shape.width};
  const int64_t extents[3] = {shape.depth, shape.height, shape.width};
  std::vector<AxisTable> smooth, values;
  for (int axis = 0; axis < 3; axis++) {
    if (step < 2) {
      smooth.push_back(AxisTable::gaussian(extents[axis], sigma, 4, Continuation::zero));
    } else {
      smooth.push_back(AxisTable::smoothedLattice(extents[axis], sigma, step));
      values.push_back(AxisTable::latticeValues(extents[axis], step, axis == 0 ? alpha : 1));
    }
  }
  const std::unique_ptr<float[]> lattice(new (std::nothrow) float[step < 2 ? 1 : smooth[0].outExtent() * smooth[1].outExtent() * smooth[2].outExtent()]);
  if (!lattice) {
    Napi::Error::New(info.Env(), "not enough memory for the coarse field").ThrowAsJavaScriptException();
    return;
  }
  for (uint32_t component = 0; component < 3; component++) {
    float* field = output + component * shape.voxels();
    source.stream = component + 1;
    SeparablePlan plan = planOf(smooth[0], smooth[1], smooth[2], 1, nullptr, step < 2 ? field : lattice.get());
    plan.generate = makeNoise;
    plan.context = &source;
    if (!run(info, plan)) return;
    if (step < 2) {
      for (size_t i = 0; i < shape.voxels(); i++) field[i] *= static_cast<float>(alpha);
    } else if (!run(info, planOf(values[0], values[1], values[2], 1, lattice.get(), field))) {
      return;
    }
  }
}

// resampleLabel(input, shape, output, outShape, order)
void resampleLabel(const Napi::CallbackInfo& info) {
  Extents shape, out;
  Bytes input, output;
  if (!readExtents(info, 1, shape) || !readExtents(info, 3, out)) return;
  const int64_t order = integer(info, 4);
  if (shape.channels != 1 || out.channels != 1 || (order != 0 && order != 1)) {
    rangeError(info, "resampleLabel: channels must be 1 and order 0 or 1");
    return;
  }
  if (!readBytes(info, 0, shape.count(), input) || !readBytes(info, 2, out.count(), output)) return;
  if (input.elementSize != output.elementSize || input.elementSize > 2) {
    rangeError(info, "resampleLabel: label maps must both have 8 or both 16 bits");
    return;
  }
  const int64_t from[3] = {shape.depth, shape.height, shape.width}, to[3] = {out.depth, out.height, out.width};
  std::vector<int32_t> low[3], high[3];
  std::vector<double> fraction[3];
  for (int axis = 0; axis < 3; axis++) {
    low[axis].resize(to[axis]);
    high[axis].resize(to[axis]);
    fraction[axis].resize(to[axis]);
    for (int64_t o = 0; o < to[axis]; o++) {
      if (order == 0) {
        low[axis][o] = high[axis][o] = static_cast<int32_t>((2 * o + 1) * from[axis] / (2 * to[axis]));
        continue;
      }
      const double t = (o + 0.5) * static_cast<double>(from[axis]) / static_cast<double>(to[axis]) - 0.5;
      const double below = std::floor(t);
      low[axis][o] = static_cast<int32_t>(std::max(below, 0.0));
      high[axis][o] = static_cast<int32_t>(std::min<double>(below + 1, static_cast<double>(from[axis] - 1)));
      fraction[axis][o] = t - below;
    }
  }
  LabelResamplePlan plan{};
  for (int axis = 0; axis < 3; axis++) {
    plan.extent[axis] = from[axis];
    plan.outExtent[axis] = to[axis];
    plan.low[axis] = low[axis].data();
    plan.high[axis] = high[axis].data();
    plan.fraction[axis] = fraction[axis].data();
  }
  std::vector<uint8_t> uniform(2 * shape.width);
  plan.uniform = uniform.data();
  const LabelTable& table = VOX_SELECT(labelTable);
  if (input.elementSize == 1) table.resample8(input.data, output.data, plan, order == 1);
  else table.resample16(reinterpret_cast<const uint16_t*>(input.data), reinterpret_cast<uint16_t*>(output.data), plan, order == 1);
}

}  // namespace

void registerResample(Napi::Env env, Napi::Object exports) {
  exports.Set("resampleImage", Napi::Function::New(env, resampleImage));
  exports.Set("resampleLabel", Napi::Function::New(env, resampleLabel));
  exports.Set("gaussianFilter", Napi::Function::New(env, gaussianFilter));
  exports.Set("elasticLattice", Napi::Function::New(env, elasticLattice));
  exports.Set("elasticField", Napi::Function::New(env, elasticField));
}
