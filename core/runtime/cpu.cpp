#include "runtime/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "runtime/error.h"

namespace rl {
namespace {

#if defined(__x86_64__) && !defined(RL_ONE_ISA)
// Conversions of half precision; Clang's __builtin_cpu_supports knew no name for them before version 16.
bool has_f16c() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

Isa probe() {
#if defined(__x86_64__) && !defined(RL_ONE_ISA)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c() &&
              __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (!avx2) return Isa::scalar;
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512cd");
  return avx512 ? Isa::avx512 : Isa::avx2;
#else
  return Isa::scalar;
#endif
}

// A name we do not know, or a set the machine lacks, leaves the choice to the machine.
Isa initial() {
  Isa best = detected_isa();
  const char* text = std::getenv("RUSHLIGHT_CPU");
  if (!text) return best;
  for (Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512})
    if (std::string_view(text) == isa_name(isa) && isa <= best) return isa;
  return best;
}

std::atomic<int> active{-1};

}  // namespace

Isa detected_isa() {
  static const Isa isa = probe();
  return isa;
}

Isa active_isa() {
  int isa = active.load(std::memory_order_relaxed);
  if (isa < 0) [[unlikely]] {
    isa = static_cast<int>(initial());
    active.store(isa, std::memory_order_relaxed);
  }
  return static_cast<Isa>(isa);
}

void force_isa(Isa isa) {
  check_value(isa <= detected_isa(), "this machine cannot run ", isa_name(isa), " kernels; its best is ",
              isa_name(detected_isa()));
  active.store(static_cast<int>(isa), std::memory_order_relaxed);
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx512: return "avx512";
    case Isa::avx2: return "avx2";
    default: return "scalar";
  }
}

}  // namespace rl
