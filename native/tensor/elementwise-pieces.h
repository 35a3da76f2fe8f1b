// How element-wise work is cut into pieces for the pool.
#pragma once

#include <algorithm>

#include "parallel.h"
#include "simd/tensor/elementwise.h"

constexpr size_t kGrain = 16384;  // elements below which threads cost more than they save

// Runs body over [0, count) in parts that are multiples of 64 elements.
template <class Body>
void forElements(size_t count, const Body& body) {
  const size_t blocks = (count + kGrain - 1) / kGrain;
  parallelFor(blocks, [&](size_t begin, size_t end, int) { body(begin * kGrain, std::min(count, end * kGrain)); });
}

// One long row is cut into pieces, so that threads share it.
template <class Body>
void forRows(Broadcast& s, size_t count, const Body& body) {
  if (count == 0) return;
  const int last = s.rank - 1;
  const int64_t piece = 4096;
  if (s.size[last] % piece == 0 && s.size[last] > piece && s.rank < 6) {
    for (int64_t* stride : {s.a, s.b, s.c}) {
      const int64_t step = stride[last];
      stride[last] = step * piece;
      stride[last + 1] = step;
    }
    s.size[last + 1] = piece;
    s.size[last] /= piece;
    s.rank++;
  }
  const size_t width = s.size[s.rank - 1];
  const size_t rows = count / width;
  if (count < kGrain) return body(0, rows);
  parallelFor(rows, [&](size_t begin, size_t end, int) { body(begin, end); });
}
