// Arithmetic that is written once for real and complex elements.
#pragma once

#include <complex>

namespace rl {
namespace {

template <class T>
using RealOf = decltype(std::real(T{}));

// std::complex multiplies and divides with a search for infinities.
template <class T>
inline T times(T a, T b) {
  return a * b;
}
template <class R>
inline std::complex<R> times(std::complex<R> a, std::complex<R> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}
template <class T>
inline T conjugate(T a) {
  return a;
}
template <class R>
inline std::complex<R> conjugate(std::complex<R> a) {
  return {a.real(), -a.imag()};
}

}  // namespace
}  // namespace rl
