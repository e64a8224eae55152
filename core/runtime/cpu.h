// Which instruction set the kernels run with. Kernel files under kernels/cpu/ are compiled once per
// instruction set (RL_ISA names the namespace) and publish a table of function pointers; pick() chooses
// among the tables at run time.
#pragma once

namespace rl {

enum class Isa { scalar = 0, avx2 = 1, avx512 = 2 };

Isa detected_isa();       // the best this machine (and this build) can run
Isa active_isa();         // detected_isa(), unless RUSHLIGHT_CPU=scalar|avx2|avx512 or force_isa() lowered it
void force_isa(Isa isa);  // for tests; throws a ValueError when the machine lacks it
const char* isa_name(Isa isa);

template <class Table>
inline const Table& pick([[maybe_unused]] const Table& scalar, [[maybe_unused]] const Table& avx2,
                         [[maybe_unused]] const Table& avx512) {
  switch (active_isa()) {
    case Isa::avx512: return avx512;
    case Isa::avx2: return avx2;
    default: return scalar;
  }
}

}  // namespace rl

// RL_ISA_TABLE declares a table of the given type and name in every instruction set's namespace and defines
// `const Type& name()` that picks the active one. (A template cannot name a namespace.) RL_ONE_ISA: the build has the
// first set only.
#if defined(__x86_64__) && !defined(RL_ONE_ISA)
#define RL_ISA_TABLE(Type, name)                       \
  namespace scalar { extern const Type name##_table; } \
  namespace avx2 { extern const Type name##_table; }   \
  namespace avx512 { extern const Type name##_table; } \
  inline const Type& name() { return ::rl::pick(scalar::name##_table, avx2::name##_table, avx512::name##_table); }
// The same for kernels that AVX-512 would mostly make larger: its machines run the AVX2 ones.
#define RL_AVX2_TABLE(Type, name)                      \
  namespace scalar { extern const Type name##_table; } \
  namespace avx2 { extern const Type name##_table; }   \
  inline const Type& name() { return ::rl::pick(scalar::name##_table, avx2::name##_table, avx2::name##_table); }
#else
#define RL_ISA_TABLE(Type, name)                       \
  namespace scalar { extern const Type name##_table; } \
  inline const Type& name() { return scalar::name##_table; }
#define RL_AVX2_TABLE(Type, name) RL_ISA_TABLE(Type, name)
#endif
