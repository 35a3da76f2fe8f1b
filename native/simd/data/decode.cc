#include "decode.h"

#include <cmath>
#include <cstring>

// The scaling must round like the TypeScript reference: product and sum each to float64.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

namespace VOX_NS {

template <int Bytes>
struct Word;
template <>
struct Word<1> {
  typedef uint8_t type;
  static type swapped(type v) { return v; }
};
template <>
struct Word<2> {
  typedef uint16_t type;
  static type swapped(type v) { return static_cast<type>((v >> 8) | (v << 8)); }
};
template <>
struct Word<4> {
  typedef uint32_t type;
  static type swapped(type v) { return __builtin_bswap32(v); }
};
template <>
struct Word<8> {
  typedef uint64_t type;
  static type swapped(type v) { return __builtin_bswap64(v); }
};

// Files align nothing, so elements are copied out of the bytes; the compiler makes plain loads of it.
template <class T, bool Swap>
static inline T stored(const uint8_t* bytes, int64_t n) {
  typename Word<sizeof(T)>::type word;
  std::memcpy(&word, bytes + n * static_cast<int64_t>(sizeof(T)), sizeof(T));
  if (Swap) word = Word<sizeof(T)>::swapped(word);
  T value;
  std::memcpy(&value, &word, sizeof(T));
  return value;
}

template <class T>
static constexpr bool isFloating() {
  return T(0.5) != T(0);
}

// Whether T → float rounds once, as the reference's way through float64 does: all but 64-bit integers.
template <class T>
static constexpr bool isDirect() {
  return sizeof(T) < 8 || isFloating<T>();
}

template <class T, bool Swap>
static void convert(const uint8_t* bytes, int64_t count, double slope, double intercept, float* out) {
  if (slope == 1 && intercept == 0) {
    if (isDirect<T>()) {
      for (int64_t n = 0; n < count; n++) out[n] = static_cast<float>(stored<T, Swap>(bytes, n));
    } else {
      for (int64_t n = 0; n < count; n++) out[n] = static_cast<float>(static_cast<double>(stored<T, Swap>(bytes, n)));
    }
    return;
  }
  for (int64_t n = 0; n < count; n++) {
    const double product = slope * static_cast<double>(stored<T, Swap>(bytes, n));
    out[n] = static_cast<float>(product + intercept);
  }
}

static inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

// Counts NaN and infinite values; the sum is a vector loop, and only what is found is looked at one by one.
static void inspect(const float* values, int64_t count, int64_t first, DecodeFindings& found) {
  int64_t bad = 0;
  for (int64_t n = 0; n < count; n++) bad += (bitsOf(values[n]) & 0x7f800000u) == 0x7f800000u;
  if (bad == 0) return;
  if (found.nonFinite == 0) {
    int64_t n = 0;
    while ((bitsOf(values[n]) & 0x7f800000u) != 0x7f800000u) n++;
    found.firstNonFinite = static_cast<double>(first + n);
  }
  found.nonFinite += static_cast<double>(bad);
}

static void remember(DecodeFindings& found, double value, int64_t index) {
  if (found.odd++ == 0) found.firstOdd = static_cast<double>(index);
  const int known = static_cast<int>(found.oddCount);
  for (int n = 0; n < known; n++) {
    if (found.oddValues[n] == value || (value != value && found.oddValues[n] != found.oddValues[n])) return;
  }
  if (known < kMaxOdd) found.oddValues[known] = value, found.oddCount++;
}

template <class T, bool Swap, class L>
static void convertLabels(const uint8_t* bytes, int64_t count, double slope, double intercept, int64_t first, L* out, DecodeFindings& found, uint8_t* seen) {
  constexpr double top = sizeof(L) == 1 ? 255 : 65535;
  for (int64_t n = 0; n < count; n++) {
    const double product = slope * static_cast<double>(stored<T, Swap>(bytes, n));
    const double value = product + intercept;
    const double label = __builtin_floor(value + 0.5);
    // Not-a-number fails each comparison.
    if (__builtin_fabs(value - label) <= 1e-4 && label >= 0 && label <= top) {
      out[n] = static_cast<L>(label);
      seen[out[n]] = 1;
    } else {
      out[n] = 0;
      remember(found, value, first + n);
    }
  }
}

// Plain label files: no scaling, integers that mostly fit.
template <class T, bool Swap, class L>
static void convertPlainLabels(const uint8_t* bytes, int64_t count, int64_t first, L* out, DecodeFindings& found, uint8_t* seen) {
  constexpr int64_t top = sizeof(L) == 1 ? 255 : 65535;
  for (int64_t n = 0; n < count; n++) {
    const T value = stored<T, Swap>(bytes, n);
    // A negative value is huge as unsigned; what is beyond 2^63 stays so.
    if (static_cast<uint64_t>(value) <= static_cast<uint64_t>(top)) {
      out[n] = static_cast<L>(value);
      seen[out[n]] = 1;
    } else {
      out[n] = 0;
      remember(found, static_cast<double>(value), first + n);
    }
  }
}

// What one element type and byte order do with `count` elements from number `at` of the piece.
template <class T, bool Swap, class U>
static void runElements(const DecodePlan& plan, const uint8_t* bytes, int64_t at, int64_t count, int64_t first, U* out, DecodeFindings& found, uint8_t* seen) {
  const uint8_t* from = bytes + at * static_cast<int64_t>(sizeof(T));
  if constexpr (isFloating<U>()) {
    convert<T, Swap>(from, count, plan.slope, plan.intercept, out);
    inspect(out, count, first + at, found);
  } else if (!isFloating<T>() && plan.slope == 1 && plan.intercept == 0) {
    convertPlainLabels<T, Swap, U>(from, count, first + at, out, found, seen);
  } else {
    convertLabels<T, Swap, U>(from, count, plan.slope, plan.intercept, first + at, out, found, seen);
  }
}

template <class U>
struct Runner {
  typedef void (*type)(const DecodePlan&, const uint8_t*, int64_t, int64_t, int64_t, U*, DecodeFindings&, uint8_t*);
};

template <class U>
static typename Runner<U>::type runnerOf(Stored dtype, bool swap) {
  switch (dtype) {
    case Stored::int8: return runElements<int8_t, false, U>;
    case Stored::uint8: return runElements<uint8_t, false, U>;
    case Stored::int16: return swap ? runElements<int16_t, true, U> : runElements<int16_t, false, U>;
    case Stored::uint16: return swap ? runElements<uint16_t, true, U> : runElements<uint16_t, false, U>;
    case Stored::int32: return swap ? runElements<int32_t, true, U> : runElements<int32_t, false, U>;
    case Stored::uint32: return swap ? runElements<uint32_t, true, U> : runElements<uint32_t, false, U>;
    case Stored::int64: return swap ? runElements<int64_t, true, U> : runElements<int64_t, false, U>;
    case Stored::uint64: return swap ? runElements<uint64_t, true, U> : runElements<uint64_t, false, U>;
    case Stored::float32: return swap ? runElements<float, true, U> : runElements<float, false, U>;
    default: return swap ? runElements<double, true, U> : runElements<double, false, U>;
  }
}

constexpr int64_t kTile = 16;

// One full tile; Step is the distance of neighbors in the target, 1 or -1, so that a row of the tile is one vector or a few.
template <class U, int Step>
static inline void transposeTile(const U* source, int64_t sourceB, U* target, int64_t strideA) {
  U tile[kTile][kTile];
  for (int64_t b = 0; b < kTile; b++) std::memcpy(tile[b], source + b * sourceB, sizeof(tile[b]));
  for (int64_t a = 0; a < kTile; a++) {
    U row[kTile];
    for (int64_t b = 0; b < kTile; b++) row[Step > 0 ? b : kTile - 1 - b] = tile[b][a];
    std::memcpy(target + a * strideA - (Step > 0 ? 0 : kTile - 1), row, sizeof(row));
  }
}

// target[a * strideA + b * strideB] = source[a + b * sourceB], by tiles that go through a small array: distances of a power of two put whole columns into
// one set of the cache, so every line of source and target should be touched once.
template <class U>
static void transpose(const U* source, int64_t countA, int64_t countB, int64_t sourceB, U* target, int64_t strideA, int64_t strideB) {
  for (int64_t a0 = 0; a0 < countA; a0 += kTile) {
    const int64_t as = a0 + kTile < countA ? kTile : countA - a0;
    for (int64_t b0 = 0; b0 < countB; b0 += kTile) {
      const int64_t bs = b0 + kTile < countB ? kTile : countB - b0;
      const U* in = source + a0 + b0 * sourceB;
      U* out = target + a0 * strideA + b0 * strideB;
      if (as == kTile && bs == kTile && strideB == 1) transposeTile<U, 1>(in, sourceB, out, strideA);
      else if (as == kTile && bs == kTile && strideB == -1) transposeTile<U, -1>(in, sourceB, out, strideA);
      else {
        for (int64_t a = 0; a < as; a++) {
          for (int64_t b = 0; b < bs; b++) out[a * strideA + b * strideB] = in[a + b * sourceB];
        }
      }
    }
  }
}

static inline int64_t magnitude(int64_t v) { return v < 0 ? -v : v; }

// One run along the file's rows at a time.
template <class U>
static void placeRows(const DecodePlan& plan, const U* values, int64_t first, int64_t count, U* target) {
  for (int64_t n = 0; n < count;) {
    const int64_t index = first + n;
    const int64_t i = index % plan.shape[0];
    const int64_t row = index / plan.shape[0];
    const int64_t slice = row / plan.shape[1];
    const int64_t j = row % plan.shape[1];
    int64_t run = plan.shape[0] - i;
    if (run > count - n) run = count - n;
    U* out = target + plan.offset + i * plan.strides[0] + j * plan.strides[1] + (slice % plan.shape[2]) * plan.strides[2] + (slice / plan.shape[2]) * plan.strides[3];
    const int64_t step = plan.strides[0];
    const U* in = values + n;
    if (step == 1) std::memcpy(out, in, static_cast<size_t>(run) * sizeof(U));
    else if (step == -1) {
      for (int64_t m = 0; m < run; m++) *(out - m) = in[m];
    } else {
      for (int64_t m = 0; m < run; m++) out[m * step] = in[m];
    }
    n += run;
  }
}

template <class U>
static void decode(const DecodePlan& plan, const uint8_t* bytes, int64_t first, int64_t count, U* target, U* scratch, DecodeFindings& found, uint8_t* seen) {
  const auto run = runnerOf<U>(plan.dtype, plan.swap);
  const int64_t ni = plan.shape[0];
  const int64_t slice = ni * plan.shape[1];
  const int64_t si = magnitude(plan.strides[0]);
  const int64_t sj = magnitude(plan.strides[1]);
  const int64_t sk = magnitude(plan.strides[2]);
  const bool alongRows = (si <= sj || plan.shape[1] == 1) && (si <= sk || plan.shape[2] == 1);
  const bool wholeSlices = first % slice == 0 && count % slice == 0;
  if (alongRows || !wholeSlices) {
    // Blocks that stay in the first-level cache between conversion and placing.
    constexpr int64_t kBlock = 4096;
    for (int64_t n = 0; n < count; n += kBlock) {
      const int64_t m = count - n < kBlock ? count - n : kBlock;
      run(plan, bytes, n, m, first, scratch, found, seen);
      placeRows(plan, scratch, first + n, m, target);
    }
    return;
  }
  run(plan, bytes, 0, count, first, scratch, found, seen);
  // Slices of one channel at a time.
  for (int64_t n = 0; n < count;) {
    const int64_t index = (first + n) / slice;
    const int64_t k = index % plan.shape[2];
    int64_t slices = plan.shape[2] - k;
    if (slices > (count - n) / slice) slices = (count - n) / slice;
    U* out = target + plan.offset + k * plan.strides[2] + index / plan.shape[2] * plan.strides[3];
    if (sj <= sk) {
      for (int64_t s = 0; s < slices; s++) transpose(scratch + n + s * slice, ni, plan.shape[1], ni, out + s * plan.strides[2], plan.strides[0], plan.strides[1]);
    } else {
      for (int64_t j = 0; j < plan.shape[1]; j++) transpose(scratch + n + j * ni, ni, slices, slice, out + j * plan.strides[1], plan.strides[0], plan.strides[2]);
    }
    n += slices * slice;
  }
}

static void toFloat(const DecodePlan& plan, const uint8_t* bytes, int64_t first, int64_t count, float* target, float* scratch, DecodeFindings& found) {
  decode<float>(plan, bytes, first, count, target, scratch, found, nullptr);
}

const DecodeTable& decodeTable() {
  static const DecodeTable table = {toFloat, decode<uint8_t>, decode<uint16_t>};
  return table;
}

}  // namespace VOX_NS
