#pragma once
#include "kernels/pointwise/platform.h"
namespace rl::math {
RL_MATH float exp(float x) { return __builtin_expf(x); }
RL_MATH double exp(double x) { return __builtin_exp(x); }
RL_MATH float expm1(float x) { return __builtin_expm1f(x); }
RL_MATH double expm1(double x) { return __builtin_expm1(x); }
RL_MATH float exp2(float x) { return __builtin_exp2f(x); }
RL_MATH double exp2(double x) { return __builtin_exp2(x); }
RL_MATH float log(float x) { return __builtin_logf(x); }
RL_MATH double log(double x) { return __builtin_log(x); }
RL_MATH float log1p(float x) { return __builtin_log1pf(x); }
RL_MATH double log1p(double x) { return __builtin_log1p(x); }
RL_MATH float log2(float x) { return __builtin_log2f(x); }
RL_MATH double log2(double x) { return __builtin_log2(x); }
RL_MATH float log10(float x) { return __builtin_log10f(x); }
RL_MATH double log10(double x) { return __builtin_log10(x); }
RL_MATH float sin(float x) { return __builtin_sinf(x); }
RL_MATH double sin(double x) { return __builtin_sin(x); }
RL_MATH float cos(float x) { return __builtin_cosf(x); }
RL_MATH double cos(double x) { return __builtin_cos(x); }
RL_MATH float tan(float x) { return __builtin_tanf(x); }
RL_MATH double tan(double x) { return __builtin_tan(x); }
RL_MATH float asin(float x) { return __builtin_asinf(x); }
RL_MATH double asin(double x) { return __builtin_asin(x); }
RL_MATH float acos(float x) { return __builtin_acosf(x); }
RL_MATH double acos(double x) { return __builtin_acos(x); }
RL_MATH float atan(float x) { return __builtin_atanf(x); }
RL_MATH double atan(double x) { return __builtin_atan(x); }
RL_MATH float sinh(float x) { return __builtin_sinhf(x); }
RL_MATH double sinh(double x) { return __builtin_sinh(x); }
RL_MATH float cosh(float x) { return __builtin_coshf(x); }
RL_MATH double cosh(double x) { return __builtin_cosh(x); }
RL_MATH float tanh(float x) { return __builtin_tanhf(x); }
RL_MATH double tanh(double x) { return __builtin_tanh(x); }
RL_MATH float asinh(float x) { return __builtin_asinhf(x); }
RL_MATH double asinh(double x) { return __builtin_asinh(x); }
RL_MATH float acosh(float x) { return __builtin_acoshf(x); }
RL_MATH double acosh(double x) { return __builtin_acosh(x); }
RL_MATH float atanh(float x) { return __builtin_atanhf(x); }
RL_MATH double atanh(double x) { return __builtin_atanh(x); }
RL_MATH float erf(float x) { return __builtin_erff(x); }
RL_MATH double erf(double x) { return __builtin_erf(x); }
RL_MATH float erfc(float x) { return __builtin_erfcf(x); }
RL_MATH double erfc(double x) { return __builtin_erfc(x); }
RL_MATH float lgamma(float x) { return __builtin_lgammaf(x); }
RL_MATH double lgamma(double x) { return __builtin_lgamma(x); }
RL_MATH float pow(float x, float y) { return __builtin_powf(x, y); }
RL_MATH double pow(double x, double y) { return __builtin_pow(x, y); }
RL_MATH float atan2(float x, float y) { return __builtin_atan2f(x, y); }
RL_MATH double atan2(double x, double y) { return __builtin_atan2(x, y); }
RL_MATH float hypot(float x, float y) { return __builtin_hypotf(x, y); }
RL_MATH double hypot(double x, double y) { return __builtin_hypot(x, y); }
template <class T> requires(is_float<T>) RL_FN T sigmoid(T x) { return T(1) / (T(1) + exp(-x)); }
}
