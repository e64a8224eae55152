// Included by kernel files that are compiled once per instruction set: contiguous conversions between element types.
#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace rl::cpu::RL_ISA {

// convert_fns[to][from](dst, src, n)
using ConvertFn = void (*)(void* dst, const void* src, int64_t n);
extern const ConvertFn convert_fns[kDTypeCount][kDTypeCount];

}  // namespace rl::cpu::RL_ISA
