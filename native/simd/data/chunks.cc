#include "chunks.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace VOX_NS {

typedef uint16_t anywhere __attribute__((aligned(1), may_alias));

static inline uint16_t quantized(float x, double scale, double offset) {
  const double q = __builtin_floor((static_cast<double>(x) - offset) / scale + 0.5);
  return static_cast<uint16_t>(q < 0 ? 0 : q > 65535 ? 65535 : q);
}

static void toInt16(const float* input, uint8_t* output, size_t count, size_t channels, const double* scale, const double* offset) {
  anywhere* to = reinterpret_cast<anywhere*>(output);
  if (channels == 1) {
    const double s = scale[0], o = offset[0];
    for (size_t i = 0; i < count; i++) to[i] = quantized(input[i], s, o);
    return;
  }
  for (size_t i = 0; i < count; i++) to[i] = quantized(input[i], scale[i % channels], offset[i % channels]);
}

// Scale and offset are float32 values, so the product is exact and a fused operation rounds like two.
static void fromInt16(const uint8_t* input, float* output, size_t count, size_t channels, const double* scale, const double* offset) {
  const anywhere* from = reinterpret_cast<const anywhere*>(input);
  if (channels == 1) {
    const double s = scale[0], o = offset[0];
    for (size_t i = 0; i < count; i++) output[i] = static_cast<float>(o + s * from[i]);
    return;
  }
  for (size_t i = 0; i < count; i++) output[i] = static_cast<float>(offset[i % channels] + scale[i % channels] * from[i]);
}

static inline uint32_t bitsOf(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  return bits;
}

static inline float floatOf(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, 4);
  return x;
}

// By F. Giesen, "float->half variants", 2016, float_to_half_fast3_rtne.
static inline uint16_t half(float x) {
  const uint32_t all = bitsOf(x), sign = all & 0x80000000u;
  uint32_t bits = all ^ sign, out;
  if (bits >= (143u << 23)) {
    out = bits > (255u << 23) ? 0x7e00 : 0x7c00;
  } else if (bits < (113u << 23)) {
    const uint32_t magic = 126u << 23;
    out = bitsOf(floatOf(bits) + floatOf(magic)) - magic;
  } else {
    bits += 0xC8000FFFu + ((bits >> 13) & 1);
    out = bits >> 13;
  }
  return static_cast<uint16_t>(out | sign >> 16);
}

static inline float whole(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, rest = static_cast<uint32_t>(h & 0x7fff) << 13;
  if (rest >= (31u << 23)) return floatOf(sign | rest | 0x7f800000u);
  // Multiplying by 2^112 moves the exponent, and makes subnormal numbers normal.
  return floatOf(sign | bitsOf(floatOf(rest) * floatOf(239u << 23)));
}

static void toFloat16(const float* input, uint8_t* output, size_t count) {
  anywhere* to = reinterpret_cast<anywhere*>(output);
  size_t i = 0;
#ifdef __F16C__
  for (; i + 8 <= count; i += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(output + 2 * i), _mm256_cvtps_ph(_mm256_loadu_ps(input + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
#endif
  for (; i < count; i++) to[i] = half(input[i]);
}

static void fromFloat16(const uint8_t* input, float* output, size_t count) {
  const anywhere* from = reinterpret_cast<const anywhere*>(input);
  size_t i = 0;
#ifdef __F16C__
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(output + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(input + 2 * i))));
#endif
  for (; i < count; i++) output[i] = whole(from[i]);
}

#ifdef __SSE2__
static inline void copyVectorPast(const uint8_t* from, uint8_t* to) {
#if VOX_VECTOR_BYTES == 64
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
#elif VOX_VECTOR_BYTES == 32
  _mm256_stream_si256(reinterpret_cast<__m256i*>(to), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
#else
  _mm_stream_si128(reinterpret_cast<__m128i*>(to), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#endif
}
#endif

static void copyPastCaches(const uint8_t* input, uint8_t* output, size_t bytes) {
#ifdef __SSE2__
  // Whole lines alone go past the caches.
  constexpr size_t kLine = 64;
  const size_t toLine = (0 - reinterpret_cast<uintptr_t>(output)) % kLine;
  size_t i = toLine < bytes ? toLine : bytes;
  __builtin_memcpy(output, input, i);
  for (; i + kLine <= bytes; i += kLine) {
    for (size_t k = 0; k < kLine; k += VOX_VECTOR_BYTES) copyVectorPast(input + i + k, output + i + k);
  }
  __builtin_memcpy(output + i, input + i, bytes - i);
#else
  __builtin_memcpy(output, input, bytes);
#endif
}

static void finishStores() {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

const ChunksTable& chunksTable() {
  static const ChunksTable table = {toInt16, fromInt16, toFloat16, fromFloat16, copyPastCaches, finishStores};
  return table;
}

}  // namespace VOX_NS
