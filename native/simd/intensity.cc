#include "intensity.h"

#include "vector.h"

namespace VOX_NS {

static void clip(const float* input, float* output, size_t count, float min, float max) {
  for (size_t i = 0; i < count; i++) {
    const float x = input[i];
    output[i] = x < min ? min : x > max ? max : x;
  }
}

const IntensityTable& intensityTable() {
  static const IntensityTable table = {clip};
  return table;
}

}  // namespace VOX_NS
