// Weights of one axis for the separable kernels.
#pragma once

#include <cstdint>
#include <vector>

#include "simd/volume/separable.h"

enum class Continuation { zero, edge, symmetric };

class AxisTable {
 public:
  // Every position stays as it is.
  static AxisTable identity(int64_t extent);
  // Half-pixel-centered resampling of order 0, 1 or 3 with edge continuation.
  static AxisTable resample(int64_t extent, int64_t outExtent, int order);
  // Cubic spline coefficients for positions [first, first + outExtent) of a line with edge continuation; the input holds its voxels
  // [begin, begin + extent), and beyond them lies nothing that weighs but what continues the edge.
  static AxisTable splineCoefficients(int64_t begin, int64_t extent, int64_t first, int64_t outExtent);
  // Gaussian weights as in the TypeScript reference.
  static AxisTable gaussian(int64_t extent, double sigma, double truncate, Continuation mode);
  // Cubic spline coefficients, on every step-th position from -step on, of the line filtered by a Gaussian over zeros outside.
  static AxisTable smoothedLattice(int64_t extent, double sigma, int64_t step);
  // The spline through a lattice that smoothedLattice made, at every position, times `factor`.
  static AxisTable latticeValues(int64_t extent, int64_t step, double factor);

  AxisPlan plan() const;
  int64_t outExtent() const { return outExtent_; }
  // How far from its position a spline coefficient reaches for voxels; farther ones weigh less than 4e-7 together.
  static constexpr int64_t kSplineReach = 12;

 private:
  AxisTable(int64_t extent, int64_t outExtent, int taps);
  // Fills before_, after_ and sources_ for the starts that are set.
  void continueBy(Continuation mode);

  int64_t extent_, outExtent_;
  int taps_;
  std::vector<int32_t> starts_;
  std::vector<float> weights_;
  int64_t before_ = 0, after_ = 0;
  std::vector<int32_t> sources_;
  bool isIdentity_ = false;
};

// Weights of the coefficients at floor(t)-1 … floor(t)+2 for the fraction f.
void cubicWeights(double f, double* weights);
