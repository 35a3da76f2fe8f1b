#include "integer.h"

#include "rows.h"

namespace VOX_NS {

static inline int32_t wrapped(int64_t x) { return static_cast<int32_t>(static_cast<uint32_t>(static_cast<uint64_t>(x))); }

static inline int64_t floorDivision(int64_t a, int64_t b) {
  if (b == 0) return 0;
  const int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

static inline int64_t floorRest(int64_t a, int64_t b) {
  if (b == 0) return 0;
  const int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

template <class F>
static inline __attribute__((always_inline)) void map(const int32_t* x, int32_t* y, size_t count, F f) {
  for (size_t i = 0; i < count; i++) y[i] = f(x[i]);
}

static void unary(int op, const int32_t* x, int32_t* y, size_t count, int32_t low, int32_t high) {
  switch (op) {
    case kIntNeg: return map(x, y, count, [](int32_t v) { return wrapped(-static_cast<int64_t>(v)); });
    case kIntAbs: return map(x, y, count, [](int32_t v) { return wrapped(v < 0 ? -static_cast<int64_t>(v) : v); });
    case kIntSquare: return map(x, y, count, [](int32_t v) { return wrapped(static_cast<int64_t>(v) * v); });
    case kIntSign: return map(x, y, count, [](int32_t v) { return (v > 0) - (v < 0); });
    case kIntRelu: return map(x, y, count, [](int32_t v) { return v > 0 ? v : 0; });
    case kIntClip: return map(x, y, count, [low, high](int32_t v) { return v > high ? high : v < low ? low : v; });
  }
}

// The compiler makes vectors of the loops over dense rows and over a row with one scalar.
template <class T, class R, class F>
static inline __attribute__((always_inline)) void map2(const Broadcast& s, const T* a, const T* b, R* y, size_t begin, size_t end, F f) {
  const int last = s.rank - 1;
  const int64_t count = s.size[last], sa = s.a[last], sb = s.b[last];
  walkRows(s, begin, end, [&](int64_t oa, int64_t ob, int64_t, size_t row) {
    R* to = y + row * count;
    const T* p = a + oa;
    const T* q = b + ob;
    if (sa == 1 && sb == 1) {
      for (int64_t i = 0; i < count; i++) to[i] = f(p[i], q[i]);
    } else if (sa == 1 && sb == 0) {
      const T v = *q;
      for (int64_t i = 0; i < count; i++) to[i] = f(p[i], v);
    } else {
      for (int64_t i = 0; i < count; i++) to[i] = f(p[i * sa], q[i * sb]);
    }
  });
}

static void binary(int op, const Broadcast& s, const int32_t* a, const int32_t* b, int32_t* y, size_t begin, size_t end) {
  typedef int32_t I;
  switch (op) {
    case kIntAdd: return map2(s, a, b, y, begin, end, [](I p, I q) { return static_cast<I>(static_cast<uint32_t>(p) + static_cast<uint32_t>(q)); });
    case kIntSub: return map2(s, a, b, y, begin, end, [](I p, I q) { return static_cast<I>(static_cast<uint32_t>(p) - static_cast<uint32_t>(q)); });
    case kIntMul: return map2(s, a, b, y, begin, end, [](I p, I q) { return static_cast<I>(static_cast<uint32_t>(p) * static_cast<uint32_t>(q)); });
    case kIntMaximum: return map2(s, a, b, y, begin, end, [](I p, I q) { return p > q ? p : q; });
    case kIntMinimum: return map2(s, a, b, y, begin, end, [](I p, I q) { return p < q ? p : q; });
    case kIntSquaredDifference:
      return map2(s, a, b, y, begin, end, [](I p, I q) {
        const uint32_t d = static_cast<uint32_t>(p) - static_cast<uint32_t>(q);
        return static_cast<I>(d * d);
      });
    case kIntFloorDiv: return map2(s, a, b, y, begin, end, [](I p, I q) { return wrapped(floorDivision(p, q)); });
    case kIntMod: return map2(s, a, b, y, begin, end, [](I p, I q) { return wrapped(floorRest(p, q)); });
  }
}

static void compare(int op, const Broadcast& s, const int32_t* a, const int32_t* b, uint8_t* y, size_t begin, size_t end) {
  typedef int32_t I;
  switch (op) {
    case kEqual: return map2(s, a, b, y, begin, end, [](I p, I q) -> uint8_t { return p == q; });
    case kNotEqual: return map2(s, a, b, y, begin, end, [](I p, I q) -> uint8_t { return p != q; });
    case kLess: return map2(s, a, b, y, begin, end, [](I p, I q) -> uint8_t { return p < q; });
    case kLessEqual: return map2(s, a, b, y, begin, end, [](I p, I q) -> uint8_t { return p <= q; });
    case kGreater: return map2(s, a, b, y, begin, end, [](I p, I q) -> uint8_t { return p > q; });
    case kGreaterEqual: return map2(s, a, b, y, begin, end, [](I p, I q) -> uint8_t { return p >= q; });
  }
}

static void logical(int op, const Broadcast& s, const uint8_t* a, const uint8_t* b, uint8_t* y, size_t begin, size_t end) {
  typedef uint8_t B;
  switch (op) {
    case kAnd: return map2(s, a, b, y, begin, end, [](B p, B q) -> B { return (p != 0) & (q != 0); });
    case kOr: return map2(s, a, b, y, begin, end, [](B p, B q) -> B { return (p | q) != 0; });
    case kXor: return map2(s, a, b, y, begin, end, [](B p, B q) -> B { return (p != 0) != (q != 0); });
  }
}

template <class F>
static inline __attribute__((always_inline)) void fold(const int32_t* x, int64_t count, int64_t inner, int64_t begin, int64_t end, int32_t* y, int32_t start,
                                                       F f) {
  for (int64_t i = begin; i < end; i++) {
    const int32_t* p = x + i / inner * count * inner + i % inner;
    int32_t total = start;
    for (int64_t k = 0; k < count; k++) total = f(total, p[k * inner]);
    y[i] = total;
  }
}

static void reduce(int op, const int32_t* x, int64_t count, int64_t inner, int64_t begin, int64_t end, int32_t* y) {
  typedef int32_t I;
  switch (op) {
    case kIntSum:
      return fold(x, count, inner, begin, end, y, 0, [](I p, I q) { return static_cast<I>(static_cast<uint32_t>(p) + static_cast<uint32_t>(q)); });
    case kIntMax: return fold(x, count, inner, begin, end, y, INT32_MIN, [](I p, I q) { return p > q ? p : q; });
    case kIntMin: return fold(x, count, inner, begin, end, y, INT32_MAX, [](I p, I q) { return p < q ? p : q; });
    case kIntProd:
      return fold(x, count, inner, begin, end, y, 1, [](I p, I q) { return static_cast<I>(static_cast<uint32_t>(p) * static_cast<uint32_t>(q)); });
  }
}

static void any(int all, const uint8_t* x, int64_t count, int64_t inner, int64_t begin, int64_t end, uint8_t* y) {
  for (int64_t i = begin; i < end; i++) {
    const uint8_t* p = x + i / inner * count * inner + i % inner;
    int64_t k = 0;
    while (k < count && (p[k * inner] != 0) == (all != 0)) k++;
    y[i] = all ? k == count : k < count;
  }
}

const IntegerTable& integerTable() {
  static const IntegerTable table = {unary, binary, compare, logical, reduce, any};
  return table;
}

}  // namespace VOX_NS
