#include "axis-table.h"

#include <algorithm>
#include <cmath>

namespace {

constexpr double kRoot3 = 1.7320508075688772;

// The filter that turns samples into cubic spline coefficients: the inverse of (1/6, 4/6, 1/6).
double inverseWeight(int64_t k) { return kRoot3 * std::pow(kRoot3 - 2, std::abs(k)); }

// Weights farther away are below 1e-13.
constexpr int64_t kInverseReach = 24;

int64_t gaussianRadius(double sigma, double truncate) { return sigma > 0 ? static_cast<int64_t>(truncate * sigma + 0.5) : 0; }

double gaussianSum(double sigma, int64_t radius) {
  double sum = 0;
  for (int64_t i = -radius; i <= radius; i++) sum += std::exp(-0.5 * i * i / (sigma * sigma));
  return sum;
}

}  // namespace

void cubicWeights(double f, double* weights) {
  const double g = 1 - f;
  weights[0] = g * g * g / 6;
  weights[1] = (4 - 3 * f * f * (2 - f)) / 6;
  weights[2] = (4 - 3 * g * g * (2 - g)) / 6;
  weights[3] = f * f * f / 6;
}

AxisTable::AxisTable(int64_t extent, int64_t outExtent, int taps)
    : extent_(extent), outExtent_(outExtent), taps_(taps), starts_(outExtent), weights_(outExtent * taps) {}

void AxisTable::continueBy(Continuation mode) {
  int64_t first = 0, end = extent_;
  for (const int32_t start : starts_) {
    first = std::min<int64_t>(first, start);
    end = std::max<int64_t>(end, start + taps_);
  }
  before_ = -first;
  after_ = end - extent_;
  sources_.resize(end - first);
  for (int64_t position = first; position < end; position++) {
    int64_t source = position;
    if (position < 0 || position >= extent_) {
      if (mode == Continuation::zero) {
        source = -1;
      } else if (mode == Continuation::edge) {
        source = position < 0 ? 0 : extent_ - 1;
      } else {
        const int64_t period = 2 * extent_;
        source = ((position % period) + period) % period;
        if (source >= extent_) source = period - 1 - source;
      }
    }
    sources_[position - first] = static_cast<int32_t>(source);
  }
}

AxisPlan AxisTable::plan() const {
  return {extent_, outExtent_, taps_, starts_.data(), weights_.data(), before_, after_, sources_.data(), isIdentity_};
}

AxisTable AxisTable::identity(int64_t extent) {
  AxisTable table(extent, extent, 1);
  for (int64_t o = 0; o < extent; o++) {
    table.starts_[o] = static_cast<int32_t>(o);
    table.weights_[o] = 1;
  }
  table.continueBy(Continuation::edge);
  table.isIdentity_ = true;
  return table;
}

AxisTable AxisTable::resample(int64_t extent, int64_t outExtent, int order) {
  if (extent == outExtent) return identity(extent);
  const int taps = order == 0 ? 1 : order == 1 ? 2 : static_cast<int>(4 + 2 * kSplineReach);
  AxisTable table(extent, outExtent, taps);
  for (int64_t o = 0; o < outExtent; o++) {
    float* weights = table.weights_.data() + o * taps;
    if (order == 0) {
      table.starts_[o] = static_cast<int32_t>((2 * o + 1) * extent / (2 * outExtent));
      weights[0] = 1;
      continue;
    }
    const double t = (o + 0.5) * extent / outExtent - 0.5;
    const double below = std::floor(t), f = t - below;
    if (order == 1) {
      table.starts_[o] = static_cast<int32_t>(below);
      weights[0] = static_cast<float>(1 - f);
      weights[1] = static_cast<float>(f);
      continue;
    }
    // Interpolation and prefilter in one: the coefficient below - 1 + k reaches kSplineReach voxels to both sides.
    table.starts_[o] = static_cast<int32_t>(below) - 1 - kSplineReach;
    double cubic[4];
    cubicWeights(f, cubic);
    std::vector<double> all(taps);
    for (int k = 0; k < 4; k++) {
      for (int64_t r = -kSplineReach; r <= kSplineReach; r++) all[k + r + kSplineReach] += cubic[k] * inverseWeight(r);
    }
    double sum = 0;
    for (const double w : all) sum += w;
    for (int k = 0; k < taps; k++) weights[k] = static_cast<float>(all[k] / sum);
  }
  table.continueBy(Continuation::edge);
  return table;
}

AxisTable AxisTable::splineCoefficients(int64_t begin, int64_t extent, int64_t first, int64_t outExtent) {
  const int taps = static_cast<int>(2 * kSplineReach + 1);
  AxisTable table(extent, outExtent, taps);
  double sum = 0;
  for (int64_t r = -kSplineReach; r <= kSplineReach; r++) sum += inverseWeight(r);
  for (int64_t o = 0; o < outExtent; o++) {
    table.starts_[o] = static_cast<int32_t>(first + o - kSplineReach - begin);
    for (int k = 0; k < taps; k++) table.weights_[o * taps + k] = static_cast<float>(inverseWeight(k - kSplineReach) / sum);
  }
  table.continueBy(Continuation::edge);
  return table;
}

AxisTable AxisTable::gaussian(int64_t extent, double sigma, double truncate, Continuation mode) {
  const int64_t radius = gaussianRadius(sigma, truncate);
  if (radius == 0) return identity(extent);
  const int taps = static_cast<int>(2 * radius + 1);
  const double sum = gaussianSum(sigma, radius);
  AxisTable table(extent, extent, taps);
  for (int64_t o = 0; o < extent; o++) {
    table.starts_[o] = static_cast<int32_t>(o - radius);
    for (int64_t i = -radius; i <= radius; i++) table.weights_[o * taps + i + radius] = static_cast<float>(std::exp(-0.5 * i * i / (sigma * sigma)) / sum);
  }
  table.continueBy(mode);
  return table;
}

AxisTable AxisTable::smoothedLattice(int64_t extent, double sigma, int64_t step) {
  const int64_t reach = gaussianRadius(sigma, 4);
  // Gaussian and spline prefilter in one: on a coarse lattice the prefilter narrows the kernel, so it ends where the Gaussian does.
  const int64_t radius = reach + (step == 1 ? kSplineReach : 0);
  const int taps = static_cast<int>(2 * radius + 1);
  const double sum = reach > 0 ? gaussianSum(sigma, reach) : 1;
  std::vector<float> kernel(taps);
  for (int64_t i = -radius; i <= radius; i++) {
    double weight = 0;
    for (int64_t k = -kInverseReach; k <= kInverseReach; k++) {
      const double d = static_cast<double>(i - k * step);
      if (step == 1 && std::abs(i - k) > reach) continue;
      weight += inverseWeight(k) * std::exp(-0.5 * d * d / (sigma * sigma)) / sum;
    }
    kernel[i + radius] = static_cast<float>(weight);
  }
  AxisTable table(extent, (extent - 1) / step + 4, taps);
  for (int64_t o = 0; o < table.outExtent_; o++) {
    table.starts_[o] = static_cast<int32_t>((o - 1) * step - radius);
    std::copy(kernel.begin(), kernel.end(), table.weights_.begin() + o * taps);
  }
  table.continueBy(Continuation::zero);
  return table;
}

AxisTable AxisTable::latticeValues(int64_t extent, int64_t step, double factor) {
  AxisTable table((extent - 1) / step + 4, extent, 4);
  for (int64_t o = 0; o < extent; o++) {
    double cubic[4];
    cubicWeights(static_cast<double>(o % step) / step, cubic);
    // Node 0 of the lattice stands at position -step.
    table.starts_[o] = static_cast<int32_t>(o / step);
    for (int k = 0; k < 4; k++) table.weights_[o * 4 + k] = static_cast<float>(cubic[k] * factor);
  }
  table.continueBy(Continuation::zero);
  return table;
}
