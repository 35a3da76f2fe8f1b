// CRC-32 as in zlib and gzip (polynomial 0xEDB88320, reflected).
#pragma once

#include <cstddef>
#include <cstdint>

uint32_t crc32(const uint8_t* data, size_t length, uint32_t before = 0);
