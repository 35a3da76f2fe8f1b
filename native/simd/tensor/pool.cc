#include "pool.h"

#include "simd/vector.h"

namespace VOX_NS {

constexpr int VL = kFloats;

static inline int64_t firstTap(int64_t corner, int64_t dilation) { return corner >= 0 ? 0 : (-corner + dilation - 1) / dilation; }
static inline int64_t endTap(int64_t corner, int64_t dilation, int64_t window, int64_t size) {
  const int64_t left = size - corner;
  if (left <= 0) return 0;
  const int64_t n = (left + dilation - 1) / dilation;
  return n < window ? n : window;
}

struct Range {
  int64_t corner[3], first[3], end[3];
  int64_t count;
};

static inline Range rangeOf(const PoolPlan& p, int64_t od, int64_t oh, int64_t ow) {
  Range r;
  const int64_t o[3] = {od, oh, ow};
  r.count = 1;
  for (int a = 0; a < 3; a++) {
    r.corner[a] = o[a] * p.stride[a] - p.before[a];
    r.first[a] = firstTap(r.corner[a], p.dilation[a]);
    r.end[a] = endTap(r.corner[a], p.dilation[a], p.window[a], p.in[a]);
    r.count *= r.end[a] > r.first[a] ? r.end[a] - r.first[a] : 0;
  }
  return r;
}

template <class F>
static inline __attribute__((always_inline)) void forVoxels(const PoolPlan& p, const Range& r, int64_t n, F f) {
  for (int64_t d = r.first[0]; d < r.end[0]; d++) {
    for (int64_t h = r.first[1]; h < r.end[1]; h++) {
      const int64_t row = ((n * p.in[0] + r.corner[0] + d * p.dilation[0]) * p.in[1] + r.corner[1] + h * p.dilation[1]) * p.in[2] + r.corner[2];
      for (int64_t w = r.first[2]; w < r.end[2]; w++) f((row + w * p.dilation[2]) * p.channels);
    }
  }
}

template <class F>
static inline __attribute__((always_inline)) void forOutputs(const PoolPlan& p, int64_t begin, int64_t end, F f) {
  for (int64_t plane = begin; plane < end; plane++) {
    const int64_t n = plane / p.out[0], od = plane % p.out[0];
    for (int64_t oh = 0; oh < p.out[1]; oh++)
      for (int64_t ow = 0; ow < p.out[2]; ow++) f(n, ((plane * p.out[1] + oh) * p.out[2] + ow) * p.channels, rangeOf(p, od, oh, ow));
  }
}

static void forward(const PoolPlan& p, int average, const float* x, float* y, size_t begin, size_t end) {
  forOutputs(p, begin, end, [&](int64_t n, int64_t at, const Range& r) {
    const vfloat low = splat(-__builtin_inff());
    int64_t c = 0;
    for (; c + VL <= p.channels; c += VL) {
      if (average) {
        vfloat sum = {};
        forVoxels(p, r, n, [&](int64_t i) { sum += load(x + i + c); });
        store(y + at + c, sum / static_cast<float>(r.count > 0 ? r.count : 1));
      } else {
        vfloat top = low;
        forVoxels(p, r, n, [&](int64_t i) {
          const vfloat v = load(x + i + c);
          top = v > top ? v : (v == v ? top : v);  // a NaN stays: comparing with it is false
        });
        store(y + at + c, top);
      }
    }
    for (; c < p.channels; c++) {
      float value = average ? 0 : -__builtin_inff();
      forVoxels(p, r, n, [&](int64_t i) {
        const float v = x[i + c];
        if (average) value += v;
        else value = v > value ? v : (v == v ? value : v);
      });
      y[at + c] = average ? value / (r.count > 0 ? r.count : 1) : value;
    }
  });
}

static void maxGrad(const PoolPlan& p, const float* x, const float* dy, float* dx, int64_t begin, int64_t end) {
  forOutputs(p, begin, end, [&](int64_t n, int64_t at, const Range& r) {
    int64_t c = 0;
    for (; c + VL <= p.channels; c += VL) {
      vfloat top = splat(-__builtin_inff());
      vint place = vint{} - 1;
      int32_t k = 0;
      // Of equal values the last one takes the gradient, as in the stock kernel.
      forVoxels(p, r, n, [&](int64_t i) {
        const vfloat v = load(x + i + c);
        const vint more = v >= top;
        top = more ? v : top;
        place = more ? (k - vint{}) : place;
        k++;
      });
      const vfloat g = load(dy + at + c);
      k = 0;
      forVoxels(p, r, n, [&](int64_t i) {
        const vint here = place == (k - vint{});
        store(dx + i + c, load(dx + i + c) + (here ? g : vfloat{}));
        k++;
      });
    }
    for (; c < p.channels; c++) {
      float top = -__builtin_inff();
      int64_t place = -1;
      forVoxels(p, r, n, [&](int64_t i) {
        if (x[i + c] >= top) {
          top = x[i + c];
          place = i + c;
        }
      });
      if (place >= 0) dx[place] += dy[at + c];
    }
  });
}

static void averageGrad(const PoolPlan& p, const float* dy, float* dx, int64_t begin, int64_t end) {
  const float scale = 1.f / static_cast<float>(p.window[0] * p.window[1] * p.window[2]);
  forOutputs(p, begin, end, [&](int64_t n, int64_t at, const Range& r) {
    // The divisor is the whole window, as in the stock kernel, which the forward pass divides by the part inside the volume.
    forVoxels(p, r, n, [&](int64_t i) {
      for (int64_t c = 0; c < p.channels; c++) dx[i + c] += dy[at + c] * scale;
    });
  });
}

const PoolTable& poolTable() {
  static const PoolTable table = {forward, maxGrad, averageGrad};
  return table;
}

}  // namespace VOX_NS
