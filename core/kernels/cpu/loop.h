#pragma once

// Before a loop: no iteration reads what another one writes (operands are the same memory or apart, never shifted), so
// it may be vectorised without a check at run time. A pragma, hence a macro; each compiler spells it in its own way.
#if defined(__clang__)
#define RL_INDEPENDENT_ITERATIONS _Pragma("clang loop vectorize(assume_safety)")
#else
#define RL_INDEPENDENT_ITERATIONS _Pragma("GCC ivdep")
#endif
