// The double functions that still call the C library (device library under NVRTC).
#pragma once

#if !defined(__CUDACC_RTC__)
#include <math.h>  // the Bessel functions are POSIX, not C++
#endif

#include "kernels/pointwise/platform.h"

namespace rl::math {

#if defined(__CUDACC_RTC__)
RL_MATH double sin(double x) { return ::sin(x); }
RL_MATH double cos(double x) { return ::cos(x); }
RL_MATH double tan(double x) { return ::tan(x); }
RL_MATH float lgamma(float x) { return ::lgammaf(x); }
RL_MATH double lgamma(double x) { return ::lgamma(x); }
RL_MATH double bessel_j0(double x) { return ::j0(x); }
RL_MATH double bessel_j1(double x) { return ::j1(x); }
RL_MATH double bessel_y0(double x) { return ::y0(x); }
RL_MATH double bessel_y1(double x) { return ::y1(x); }
#else
RL_MATH float lgamma(float x) { return __builtin_lgammaf(x); }
RL_MATH double lgamma(double x) { return __builtin_lgamma(x); }
RL_MATH double bessel_j0(double x) { return ::j0(x); }
RL_MATH double bessel_j1(double x) { return ::j1(x); }
RL_MATH double bessel_y0(double x) { return ::y0(x); }
RL_MATH double bessel_y1(double x) { return ::y1(x); }
RL_MATH double sin(double x) { return __builtin_sin(x); }
RL_MATH double cos(double x) { return __builtin_cos(x); }
RL_MATH double tan(double x) { return __builtin_tan(x); }
#endif

RL_MATH float bessel_j0(float x) { return static_cast<float>(bessel_j0(static_cast<double>(x))); }
RL_MATH float bessel_j1(float x) { return static_cast<float>(bessel_j1(static_cast<double>(x))); }
RL_MATH float bessel_y0(float x) { return static_cast<float>(bessel_y0(static_cast<double>(x))); }
RL_MATH float bessel_y1(float x) { return static_cast<float>(bessel_y1(static_cast<double>(x))); }

}  // namespace rl::math
