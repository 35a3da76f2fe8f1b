#include "patch.h"

#include "simd/shuffle.h"

namespace VOX_NS {

template <class V, int... I>
static inline V backwards(V x, Indices<I...>) {
  return shuffled<static_cast<int>(sizeof...(I) - 1 - I)...>(x, x);
}

template <class T>
static void reverseOf(const uint8_t* input, uint8_t* output, size_t count) {
  typedef T lanes __attribute__((vector_size(VOX_VECTOR_BYTES), aligned(1), may_alias));
  typedef T single __attribute__((aligned(1), may_alias));
  constexpr size_t width = VOX_VECTOR_BYTES / sizeof(T);
  size_t i = 0;
  for (; i + width <= count; i += width) {
    const lanes x = *reinterpret_cast<const lanes*>(input + (count - i - width) * sizeof(T));
    *reinterpret_cast<lanes*>(output + i * sizeof(T)) = backwards(x, AllIndices<static_cast<int>(width)>());
  }
  for (; i < count; i++) {
    *reinterpret_cast<single*>(output + i * sizeof(T)) = *reinterpret_cast<const single*>(input + (count - 1 - i) * sizeof(T));
  }
}

static void reverse(const uint8_t* input, uint8_t* output, size_t count, size_t bytes) {
  switch (bytes) {
    case 1: return reverseOf<uint8_t>(input, output, count);
    case 2: return reverseOf<uint16_t>(input, output, count);
    case 4: return reverseOf<uint32_t>(input, output, count);
    case 8: return reverseOf<uint64_t>(input, output, count);
    default:
      for (size_t i = 0; i < count; i++) __builtin_memcpy(output + i * bytes, input + (count - 1 - i) * bytes, bytes);
  }
}

const PatchTable& patchTable() {
  static const PatchTable table = {reverse};
  return table;
}

}  // namespace VOX_NS
