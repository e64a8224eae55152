// The part of the random fills that is compiled once per instruction set.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"

namespace rl::cpu {

// From generator words to values; n counts values.
struct RandomTable {
  void (*uniform_f32)(const uint32_t* words, float* out, int64_t n, float from, float width, float end);
  void (*uniform_f64)(const uint32_t* words, double* out, int64_t n, double from, double width,
                      double end);  // two words each
  // Box-Muller over blocks of 16 words; n is a multiple of 16.
  void (*normal_f32)(const uint32_t* words, float* out, int64_t n, float mean, float std);
  // 1 where the 53-bit draw is below the threshold; two words each.
  void (*below_u53)(const uint32_t* words, uint8_t* out, int64_t n, int64_t threshold);
};
RL_ISA_TABLE(RandomTable, random)

}  // namespace rl::cpu
