// Copies of boxes and mirrored volumes, for elements of any size.
#pragma once

#include <cstddef>
#include <cstdint>

struct PatchTable {
  // Copies `count` elements of `bytes` bytes each in reverse order.
  void (*reverse)(const uint8_t* input, uint8_t* output, size_t count, size_t bytes);
};
