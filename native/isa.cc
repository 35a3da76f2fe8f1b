#include "isa.h"

#include <cstdlib>
#include <cstring>

namespace {

Isa detect() {
#ifdef VOX_X64
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  // VOXSTREAM_ISA lowers the choice, so that tests reach every set on one machine.
  const char* wish = std::getenv("VOXSTREAM_ISA");
  if (wish && std::strcmp(wish, "base") == 0) return Isa::base;
  if (wish && std::strcmp(wish, "avx2") == 0 && avx2) return Isa::avx2;
  return avx512 ? Isa::avx512 : avx2 ? Isa::avx2 : Isa::base;
#else
  return Isa::base;
#endif
}

}  // namespace

Isa isa() {
  static const Isa chosen = detect();
  return chosen;
}

const char* isaName() {
  switch (isa()) {
    case Isa::avx512: return "avx512";
    case Isa::avx2: return "avx2";
    default: return "base";
  }
}
