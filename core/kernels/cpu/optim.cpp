#include "kernels/optim.h"

#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

inline float fma_of(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fma_of(double a, double b, double c) { return __builtin_fma(a, b, c); }

template <class T, bool Momentum>
void sgd_range(T* param, const T* grad, T* buffer, int64_t n, const SgdOptions& o) {
  const T sign = o.maximize ? T(-1) : T(1), decay = T(o.weight_decay), momentum = T(o.momentum),
          keep = T(1 - o.dampening), step = T(-o.lr);
  const bool decays = o.weight_decay != 0, first = o.first, nesterov = o.nesterov;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    T d = grad[i] * sign;
    d = decays ? fma_of(decay, param[i], d) : d;
    if constexpr (Momentum) {
      T b = first ? d : fma_of(keep, d, buffer[i] * momentum);
      buffer[i] = b;
      d = nesterov ? fma_of(momentum, b, d) : b;
    }
    param[i] = fma_of(step, d, param[i]);
  }
}

template <class T>
void sgd_of(void* param, const void* grad, void* buffer, int64_t n, const SgdOptions& o) {
  parallel_for(n, 1 << 15, [&](int64_t begin, int64_t end) {
    T* p = static_cast<T*>(param) + begin;
    const T* g = static_cast<const T*>(grad) + begin;
    if (buffer)
      sgd_range<T, true>(p, g, static_cast<T*>(buffer) + begin, end - begin, o);
    else
      sgd_range<T, false>(p, g, nullptr, end - begin, o);
  });
}

void sgd(DType dtype, void* param, const void* grad, void* buffer, int64_t n, const SgdOptions& o) {
  if (dtype == DType::F32)
    sgd_of<float>(param, grad, buffer, n, o);
  else
    sgd_of<double>(param, grad, buffer, n, o);
}

}  // namespace

extern const OptimTable optim_table = {sgd};

}  // namespace rl::cpu::RL_ISA
