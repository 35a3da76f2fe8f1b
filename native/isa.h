// Which set of inner loops this processor runs: chosen once, from what the processor says it can do.
#pragma once

enum class Isa { base, avx2, avx512 };

Isa isa();
const char* isaName();

// Picks the function table of the chosen instruction set: VOX_SELECT(convTable) calls vox_<isa>::convTable().
#ifdef VOX_X64
#define VOX_SELECT(table) (isa() == Isa::avx512 ? vox_avx512::table() : isa() == Isa::avx2 ? vox_avx2::table() : vox_base::table())
#define VOX_DECLARE(Type, table)               \
  namespace vox_base { const Type& table(); }   \
  namespace vox_avx2 { const Type& table(); }   \
  namespace vox_avx512 { const Type& table(); }
#else
#define VOX_SELECT(table) (vox_base::table())
#define VOX_DECLARE(Type, table) \
  namespace vox_base { const Type& table(); }
#endif
