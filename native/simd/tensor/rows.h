// Walks the rows of a broadcast: a row is the last dimension, numbered over all others.
#pragma once

#include "elementwise.h"

namespace VOX_NS {

// Calls f(offset of a, offset of b, offset of c, row) for rows [begin, end).
template <class F>
static inline __attribute__((always_inline)) void walkRows(const Broadcast& s, size_t begin, size_t end, F f) {
  const int outer = s.rank - 1;
  int64_t index[6] = {};
  size_t rest = begin;
  int64_t a = 0, b = 0, c = 0;
  for (int d = outer - 1; d >= 0; d--) {
    index[d] = rest % s.size[d];
    rest /= s.size[d];
    a += index[d] * s.a[d];
    b += index[d] * s.b[d];
    c += index[d] * s.c[d];
  }
  for (size_t row = begin; row < end; row++) {
    f(a, b, c, row);
    for (int d = outer - 1; d >= 0; d--) {
      a += s.a[d];
      b += s.b[d];
      c += s.c[d];
      if (++index[d] < s.size[d]) break;
      index[d] = 0;
      a -= s.a[d] * s.size[d];
      b -= s.b[d] * s.size[d];
      c -= s.c[d] * s.size[d];
    }
  }
}

}  // namespace VOX_NS
