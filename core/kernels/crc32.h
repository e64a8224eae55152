// The checksum of zip files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rl {

// CRC-32 (the reflected polynomial 0xEDB88320) of `crc`'s bytes followed by these; start with 0.
uint32_t crc32(uint32_t crc, const void* data, size_t bytes);

// The checksum of two pieces that follow each other, from those of each.
uint32_t crc32_joined(uint32_t first, uint32_t second, size_t second_bytes);

}  // namespace rl
