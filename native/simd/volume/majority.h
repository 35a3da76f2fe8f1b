// The label that linear interpolation of every label's mask gives.
#pragma once

#include <cstdint>

#include "simd/vector.h"

namespace VOX_NS {

// The label whose share of the eight corners is at least one half, 0 where there is none; of two halves the larger label. The limit lies a rounding
// error below one half. Corners in C order: depth, height, width.
static inline uint32_t majorityLabel(const uint32_t* corners, double fz, double fy, double fx) {
  const double z[2] = {1 - fz, fz}, y[2] = {1 - fy, fy}, x[2] = {1 - fx, fx};
  double weights[8];
  for (int k = 0; k < 8; k++) weights[k] = z[k >> 2] * y[(k >> 1) & 1] * x[k & 1];
  uint32_t best = 0, tried = 0;
  for (int i = 0; i < 8; i++) {
    const uint32_t label = corners[i];
    if (label <= best || label == tried) continue;
    tried = label;
    double share = 0;
    for (int k = 0; k < 8; k++) share += corners[k] == label ? weights[k] : 0;
    if (share >= 0.5 - 1e-10) best = label;
  }
  return best;
}

}  // namespace VOX_NS
