// Vectors made of chosen lanes of two others.
#pragma once

#include "vector.h"

namespace VOX_NS {

template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N - 1, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
  typedef Indices<I...> type;
};
// 0 … n-1.
template <int N>
using AllIndices = typename MakeIndices<N>::type;

// Lane i of the result is lane I[i] of a and b behind each other.
template <int... I, class V>
static inline V shuffled(V a, V b) {
#if defined(__clang__) || __GNUC__ >= 12
  return __builtin_shufflevector(a, b, I...);
#else
  typedef decltype(a < b) Lanes;
  return __builtin_shuffle(a, b, Lanes{I...});
#endif
}

}  // namespace VOX_NS
