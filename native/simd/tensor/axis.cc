#include "axis.h"

#include <cstring>

#include "simd/vector.h"

namespace VOX_NS {

static void combine(const float* x, float* y, int64_t inner, int64_t count, const int32_t* indices, const float* weights) {
  if (count == 0) {
    memset(y, 0, inner * sizeof(float));
    return;
  }
  if (count == 1 && weights[0] == 1.f) {
    memcpy(y, x + indices[0] * inner, inner * sizeof(float));
    return;
  }
  int64_t c = 0;
  for (; c + kFloats <= inner; c += kFloats) {
    vfloat sum = load(x + indices[0] * inner + c) * weights[0];
    for (int64_t j = 1; j < count; j++) sum += load(x + indices[j] * inner + c) * weights[j];
    store(y + c, sum);
  }
  for (; c < inner; c++) {
    float sum = x[indices[0] * inner + c] * weights[0];
    for (int64_t j = 1; j < count; j++) sum += x[indices[j] * inner + c] * weights[j];
    y[c] = sum;
  }
}

const AxisTable& axisTable() {
  static const AxisTable table = {combine};
  return table;
}

}  // namespace VOX_NS
