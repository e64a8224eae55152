// Elements as bytes, for loops that move them and compute nothing: one instance for each size.
#pragma once

#include <cstdint>

namespace rl::cpu::RL_ISA {
namespace {

struct Item16 {
  uint64_t lo, hi;
};

// Calls f(T{}) with a plain type of that many bytes.
template <class F>
inline void visit_item(int64_t bytes, F&& f) {
  switch (bytes) {
    case 1: return f(uint8_t{});
    case 2: return f(uint16_t{});
    case 4: return f(uint32_t{});
    case 8: return f(uint64_t{});
    default: return f(Item16{});
  }
}

}  // namespace
}  // namespace rl::cpu::RL_ISA
