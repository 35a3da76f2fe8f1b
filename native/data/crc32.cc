#include "crc32.h"

#include <cstring>

#if defined(__x86_64__) && defined(VOX_X64)
#include <immintrin.h>
#define CRC_FOLDS 1
#endif

// By V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009: the constants are x^n mod P, reflected.

namespace {

struct Tables {
  uint32_t at[8][256];
  Tables() {
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t c = i;
      for (int k = 0; k < 8; k++) c = (c >> 1) ^ (c & 1 ? 0xEDB88320u : 0);
      at[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++) {
      for (int k = 1; k < 8; k++) at[k][i] = (at[k - 1][i] >> 8) ^ at[0][at[k - 1][i] & 255];
    }
  }
};

// `c` is the inverted checksum so far, as in all functions here.
uint32_t byTable(uint32_t c, const uint8_t* data, size_t length) {
  static const Tables tables;
  const auto& t = tables.at;
  for (; length >= 8; data += 8, length -= 8) {
    uint32_t low = c ^ (uint32_t(data[0]) | uint32_t(data[1]) << 8 | uint32_t(data[2]) << 16 | uint32_t(data[3]) << 24);
    c = t[7][low & 255] ^ t[6][(low >> 8) & 255] ^ t[5][(low >> 16) & 255] ^ t[4][low >> 24] ^ t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]];
  }
  for (; length > 0; data++, length--) c = (c >> 8) ^ t[0][(c ^ *data) & 255];
  return c;
}

#ifdef CRC_FOLDS

__attribute__((target("pclmul,sse4.1"))) inline __m128i fold(__m128i x, __m128i next, __m128i k) {
  return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, k, 0x00), _mm_clmulepi64_si128(x, k, 0x11)), next);
}

__attribute__((target("pclmul,sse4.1"))) inline __m128i block(const uint8_t* data) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data)); }

// The 16 bytes to which everything before was folded, and what is left of the data, as a checksum.
__attribute__((target("pclmul,sse4.1"))) uint32_t finish(__m128i x, const uint8_t* data, size_t length) {
  const __m128i k = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
  for (; length >= 16; data += 16, length -= 16) x = fold(x, block(data), k);
  // 16 bytes are a message like any other: their checksum from 0 is that of all before them.
  uint8_t rest[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), x);
  return byTable(byTable(0, rest, 16), data, length);
}

__attribute__((target("pclmul,sse4.1"))) uint32_t byFolding(uint32_t c, const uint8_t* data, size_t length) {
  const __m128i k = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
  __m128i a = _mm_xor_si128(block(data), _mm_cvtsi32_si128(static_cast<int>(c)));
  __m128i b = block(data + 16), d = block(data + 32), e = block(data + 48);
  for (data += 64, length -= 64; length >= 64; data += 64, length -= 64) {
    a = fold(a, block(data), k);
    b = fold(b, block(data + 16), k);
    d = fold(d, block(data + 32), k);
    e = fold(e, block(data + 48), k);
  }
  const __m128i one = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
  return finish(fold(fold(fold(a, b, one), d, one), e, one), data, length);
}

__attribute__((target("vpclmulqdq,avx512f,avx512vl,pclmul"))) inline __m512i foldWide(__m512i x, __m512i next, __m512i k) {
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(x, k, 0x00), _mm512_clmulepi64_epi128(x, k, 0x11), next, 0x96);
}

__attribute__((target("vpclmulqdq,avx512f,avx512vl,pclmul"))) inline __m512i wide(const uint8_t* data) { return _mm512_loadu_si512(data); }

// Sixteen blocks side by side; their constants are those of a distance of 256 bytes, then of 64.
__attribute__((target("vpclmulqdq,avx512f,avx512vl,pclmul,sse4.1"))) uint32_t byWideFolding(uint32_t c, const uint8_t* data, size_t length) {
  const __m512i far = _mm512_broadcast_i32x4(_mm_set_epi64x(0x1322d1430, 0x11542778a)), near = _mm512_broadcast_i32x4(_mm_set_epi64x(0x1c6e41596, 0x154442bd4));
  __m512i a = _mm512_xor_si512(wide(data), _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(c))));
  __m512i b = wide(data + 64), d = wide(data + 128), e = wide(data + 192);
  for (data += 256, length -= 256; length >= 256; data += 256, length -= 256) {
    a = foldWide(a, wide(data), far);
    b = foldWide(b, wide(data + 64), far);
    d = foldWide(d, wide(data + 128), far);
    e = foldWide(e, wide(data + 192), far);
  }
  a = foldWide(foldWide(foldWide(a, b, near), d, near), e, near);
  const __m128i one = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
  __m128i x = fold(_mm512_extracti32x4_epi32(a, 0), _mm512_extracti32x4_epi32(a, 1), one);
  x = fold(fold(x, _mm512_extracti32x4_epi32(a, 2), one), _mm512_extracti32x4_epi32(a, 3), one);
  return finish(x, data, length);
}

enum class Way { table, folds, wideFolds };

Way choose() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1")) return Way::table;
  return __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") ? Way::wideFolds : Way::folds;
}

#endif

}  // namespace

uint32_t crc32(const uint8_t* data, size_t length, uint32_t before) {
  const uint32_t c = ~before;
#ifdef CRC_FOLDS
  static const Way way = choose();
  if (way == Way::wideFolds && length >= 256) return ~byWideFolding(c, data, length);
  if (way != Way::table && length >= 64) return ~byFolding(c, data, length);
#endif
  return ~byTable(c, data, length);
}
