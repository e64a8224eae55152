#include "kernels/lines.h"

#include <cstring>

#include "kernels/complex_parts.h"

namespace rl::cpu::RL_ISA {
namespace {

template <class R>
struct Lanes {
  static constexpr int64_t count = 32 / sizeof(R);
  typedef R V __attribute__((vector_size(32)));
  static V load(const R* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  static void store(R* to, V v) { std::memcpy(to, &v, sizeof v); }
  static V exchange_parts(V v) {  // of complex numbers
    if constexpr (count == 8)
      return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
    else
      return __builtin_shufflevector(v, v, 1, 0, 3, 2);
  }
};

// The sum of conj(a) b.
template <class T>
T dot(const T* a, const T* b, int64_t n) {
  using R = RealOf<T>;
  using L = Lanes<R>;
  typename L::V sums = {}, others = {};
  const R *x = reinterpret_cast<const R*>(a), *y = reinterpret_cast<const R*>(b);
  int64_t i = 0;
  if constexpr (std::is_floating_point_v<T>) {
    for (; i + 2 * L::count <= n; i += 2 * L::count) {
      sums += L::load(x + i) * L::load(y + i);
      others += L::load(x + i + L::count) * L::load(y + i + L::count);
    }
    for (; i + L::count <= n; i += L::count) sums += L::load(x + i) * L::load(y + i);
    sums += others;
    T sum = 0;
    for (int64_t l = 0; l < L::count; ++l) sum += sums[l];
    for (; i < n; ++i) sum += a[i] * b[i];
    return sum;
  } else {
    for (; 2 * i + L::count <= 2 * n; i += L::count / 2) {
      const auto of_a = L::load(x + 2 * i), of_b = L::load(y + 2 * i);
      sums += of_a * of_b;
      others += of_a * L::exchange_parts(of_b);
    }
    R re = 0, im = 0;
    for (int64_t l = 0; l < L::count; ++l) re += sums[l], im += l & 1 ? -others[l] : others[l];
    for (; i < n; ++i) {
      const T part = times(conjugate(a[i]), b[i]);
      re += part.real(), im += part.imag();
    }
    return {re, im};
  }
}

// to += by * from
template <class T>
void add(T* to, T by, const T* from, int64_t n) {
  using R = RealOf<T>;
  using L = Lanes<R>;
  constexpr int64_t parts = sizeof(T) / sizeof(R);
  R* y = reinterpret_cast<R*>(to);
  const R* x = reinterpret_cast<const R*>(from);
  typename L::V straight = std::real(by) - typename L::V{}, turned = {};
  for (int64_t l = 0; l < L::count; ++l) turned[l] = l & 1 ? std::imag(by) : -std::imag(by);
  int64_t i = 0;
  for (; parts * i + L::count <= parts * n; i += L::count / parts) {
    const auto of_x = L::load(x + parts * i);
    auto of_y = L::load(y + parts * i) + straight * of_x;
    if constexpr (parts == 2) of_y += turned * L::exchange_parts(of_x);
    L::store(y + parts * i, of_y);
  }
  for (; i < n; ++i) to[i] += times(by, from[i]);
}

// to += a * x + b * y
template <class T>
void add_two(T* to, T a, const T* x, T b, const T* y, int64_t n) {
  if constexpr (std::is_floating_point_v<T>) {
    using L = Lanes<T>;
    int64_t i = 0;
    for (; i + L::count <= n; i += L::count)
      L::store(to + i, L::load(to + i) + a * L::load(x + i) + b * L::load(y + i));
    for (; i < n; ++i) to[i] += a * x[i] + b * y[i];
  } else {
    add(to, a, x, n);
    add(to, b, y, n);
  }
}

template <class T>
void reflect(const T* v, T tau, T* columns, int64_t step, int64_t count, int64_t n) {
  if (tau == T(0)) return;
  for (int64_t c = 0; c < count; ++c) {
    T* column = columns + c * step;
    add(column, -times(tau, dot(v, column, n)), v, n);
  }
}

template <class R, int N>
void turn_lanes(R* row, int64_t step, const double* c_of, const double* s_of, int64_t count) {
  using L = Lanes<R>;
  typename L::V carried[N];
  for (int i = 0; i < N; ++i) carried[i] = L::load(row + i * L::count);
  for (int64_t k = 0; k < count; ++k, row += step) {
    const typename L::V c = static_cast<R>(c_of[k]) - typename L::V{}, s = static_cast<R>(s_of[k]) - typename L::V{};
    for (int i = 0; i < N; ++i) {
      const auto next = L::load(row + step + i * L::count);
      L::store(row + i * L::count, c * carried[i] + s * next);
      carried[i] = c * next - s * carried[i];
    }
  }
  for (int i = 0; i < N; ++i) L::store(row + i * L::count, carried[i]);
}

template <class T>
void turn(T* first, int64_t step, int64_t n, const double* c_of, const double* s_of, int64_t count) {
  using R = RealOf<T>;
  constexpr int64_t lanes = Lanes<R>::count, parts = sizeof(T) / sizeof(R);
  R* rows = reinterpret_cast<R*>(first);
  n *= parts, step *= parts;
  int64_t at = 0;
  for (; at + 4 * lanes <= n; at += 4 * lanes) turn_lanes<R, 4>(rows + at, step, c_of, s_of, count);
  for (; at + lanes <= n; at += lanes) turn_lanes<R, 1>(rows + at, step, c_of, s_of, count);
  for (; at < n; ++at) {
    R* row = rows + at;
    R carried = *row;
    for (int64_t k = 0; k < count; ++k, row += step) {
      const R c = static_cast<R>(c_of[k]), s = static_cast<R>(s_of[k]), next = row[step];
      *row = c * carried + s * next;
      carried = c * next - s * carried;
    }
    *row = carried;
  }
}

template <class T>
constexpr LineLoops<T> loops = {dot<T>, add<T>, add_two<T>, reflect<T>, turn<T>};

}  // namespace

extern const LineTable lines_table = {loops<float>, loops<double>, loops<Complex64>, loops<Complex128>};

}  // namespace rl::cpu::RL_ISA
