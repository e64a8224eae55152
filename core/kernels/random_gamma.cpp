#include "kernels/random_gamma.h"

#include <cmath>

#include "kernels/pointwise/math_special.h"
#include "kernels/random_detail.h"

namespace rl::random {
namespace {

using namespace detail;

// Squeezed rejection from the cube of a normal (Marsaglia & Tsang 2000); below 1, a draw of one more is scaled down.
// As in PyTorch, what is computed from the concentration alone is rounded to its type C, and two constants are floats.
template <class C> double gamma_one(C concentration, Generator& g) {
  double scale = 1;
  if (concentration < 1) {
    if (concentration == 0) return 0;
    scale *= std::pow(1 - g.next_double(), static_cast<double>(1 / concentration));
    concentration += 1;
  }
  const double d = static_cast<double>(concentration - C(1.0f / 3.0f)), c = 1.0 / std::sqrt(9.0 * d);
  while (true) {
    double normal, root;
    do {
      normal = g.next_normal();
      root = 1.0 + c * normal;
    } while (root <= 0);
    const double v = root * root * root, u = 1 - g.next_double(), square = normal * normal;
    if (u < 1.0 - static_cast<double>(0.0331f) * square * square) return scale * d * v;
    if (std::log(u) < 0.5 * square + d * (1.0 - v + std::log(v))) return scale * d * v;
  }
}

// The integral of f over (0, inf), for f that falls off over a distance of about `scale`: the trapezoidal rule in u,
// y = scale * exp(pi/2 sinh u) (Takahasi & Mori 1974).
template <class F> double half_line_integral(double scale, F&& f) {
  constexpr double kStep = 1.0 / 16;
  constexpr double kQuarter = 1.5707963267948966;
  double sum = 0;
  for (int k = -72; k <= 72; ++k) {
    const double u = k * kStep, y = scale * std::exp(kQuarter * std::sinh(u));
    const double term = f(y) * kQuarter * std::cosh(u) * y;
    if (std::isfinite(term)) sum += term;
  }
  return sum * kStep;
}

constexpr int kTerms = 2000;  // a series that needs more gives way to the integral

// F is the integral of t^(a-1) e^-t / Gamma(a) from 0; differentiated by a under the integral, over the density at x.
double gamma_gradient_one(double a, double x) {
  if (!(a > 0) || !(x > 0) || !std::isfinite(a) || !std::isfinite(x)) return a == a && x == x ? 0.0 : a + x;
  const double log_x = std::log(x), center = math::digamma(a);
  // F / f = sum of x^(n+1) / (a (a+1) ... (a+n)), term by term. Far above the mean F is all but 1, and would cancel.
  if (x <= a + 3 * std::sqrt(a)) {
    double term = x / a, psi = center + 1 / a, sum = term * (log_x - psi);
    for (int n = 1; n < kTerms; ++n) {
      const double step = 1 / (a + n);
      psi += step;
      term *= x * step;
      const double change = term * (log_x - psi);
      sum += change;
      if (a + n > x && std::fabs(change) <= 1e-17 * std::fabs(sum)) return -sum;
    }
  }
  if (x <= a) {  // the integral up to x, t = x e^-y
    return -x * half_line_integral(1 / (a - x + std::sqrt(x)), [&](double y) {
      return std::exp(-a * y - x * std::expm1(-y)) * (log_x - y - center);
    });
  }
  // minus the integral from x on, t = x + s
  const double fall = 1 - (a - 1) / x, curve = std::sqrt(std::fmax(a - 1, 0)) / x;
  return half_line_integral(1 / (std::fmin(fall, 1) + curve), [&](double s) {
    return std::exp((a - 1) * std::log1p(s / x) - s) * (std::log(x + s) - center);
  });
}

// The same for the density t^(a-1) (1-t)^(b-1) / B(a, b): below the mean from the integral up to x, above it from the
// rest. x (1-x) / a times the hypergeometric series 1 + (a+b)/(a+1) x + ... is that integral over the density.
double beta_gradient_one(double x, double a, double total) {
  const double b = total - a;
  if (!(a > 0) || !(b > 0) || !(x > 0) || !(x < 1)) return a == a && total == total && x == x ? 0.0 : a + total + x;
  const double log_x = std::log(x), center = math::digamma(a) - math::digamma(total);
  const bool low = x * total <= a;
  {
    const double from = low ? a : b, z = low ? x : 1 - x;
    double term = z * (1 - z) / from, slope = (low ? log_x - 1 / a : log_x) - center, sum = term * slope;
    for (int n = 0; n < kTerms; ++n) {
      slope += 1 / (total + n) - (low ? 1 / (from + n + 1) : 0);
      const double ratio = z * (total + n) / (from + n + 1);
      term *= ratio;
      const double change = term * slope;
      sum += change;
      if (ratio < 1 && std::fabs(change) <= 1e-17 * (1 - ratio) * std::fabs(sum)) return (low ? -sum : sum) / (1 - x);
    }
  }
  if (low) {  // t = x e^-y; (1 - t) / (1 - x) = 1 + (x - t) / (1 - x)
    const double odds = x / (1 - x), slope = a - (b - 1) * odds;
    const double scale = 1 / (std::fmax(slope, 0) + std::sqrt(std::fmax(b - 1, 0) * odds) + std::fmin(a, 1));
    const double integral = half_line_integral(scale, [&](double y) {
      return std::exp(-a * y + (b - 1) * std::log1p(-odds * std::expm1(-y))) * (log_x - y - center);
    });
    return -x * integral / (1 - x);
  }
  const double odds = (1 - x) / x, slope = b - (a - 1) * odds;  // 1 - t = (1 - x) e^-y
  const double scale = 1 / (std::fmax(slope, 0) + std::sqrt(std::fmax(a - 1, 0) * odds) + std::fmin(b, 1));
  return half_line_integral(scale, [&](double y) {
    const double log_ratio = std::log1p(-odds * std::expm1(-y));
    return std::exp(-b * y + (a - 1) * log_ratio) * (log_x + log_ratio - center);
  });
}

template <class T> double as_double(T value) { return static_cast<double>(static_cast<compute_t<T>>(value)); }

template <class T> T smallest() {
  return std::is_same_v<T, Half> ? to<T>(6.103515625e-05)
                                 : to<T>(static_cast<double>(std::numeric_limits<float>::min()));
}
template <> double smallest<double>() { return std::numeric_limits<double>::min(); }

}  // namespace

void standard_gamma(Out out, const void* concentrations, Generator& g) {
  std::lock_guard lock(g.mutex());
  visit_floating(out.dtype, "gamma", [&](auto zero) {
    using T = decltype(zero);
    auto* from = static_cast<const T*>(concentrations);
    auto* data = static_cast<T*>(out.data);
    for (int64_t i = 0; i < out.n; ++i) {
      const T draw = to<T>(gamma_one(static_cast<compute_t<T>>(from[i]), g)), least = smallest<T>();
      data[i] = as_double(draw) < as_double(least) ? least : draw;
    }
  });
}

void dirichlet(Out out, const void* concentrations, int64_t categories, Generator& g) {
  std::lock_guard lock(g.mutex());
  visit_floating(out.dtype, "dirichlet", [&](auto zero) {
    using T = decltype(zero);
    auto* from = static_cast<const T*>(concentrations);
    auto* data = static_cast<T*>(out.data);
    const double least = as_double(smallest<T>()), most = 1 - std::ldexp(1.0, -kDigits<T>);
    // All draws come before the first quotient, in double so that small concentrations do not underflow.
    std::vector<double> draws(static_cast<size_t>(out.n));
    for (size_t i = 0; i < draws.size(); ++i)
      draws[i] = std::fmax(gamma_one(as_double(from[i]), g), std::numeric_limits<double>::min());
    for (int64_t row = 0; row < out.n; row += categories) {
      const double* drawn = draws.data() + row;
      double sum = 0;
      for (int64_t j = 0; j < categories; ++j) sum += drawn[j];
      for (int64_t j = 0; j < categories; ++j) {
        const double rounded = as_double(to<T>(drawn[j] / sum));
        data[row + j] = to<T>(std::fmin(most, std::fmax(least, rounded)));
      }
    }
  });
}

void standard_gamma_gradient(DType dtype, int64_t n, const void* concentrations, const void* draws, void* out) {
  visit_floating(dtype, "_standard_gamma_grad", [&](auto zero) {
    using T = decltype(zero);
    parallel_for(n, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        static_cast<T*>(out)[i] = to<T>(gamma_gradient_one(as_double(static_cast<const T*>(concentrations)[i]),
                                                           as_double(static_cast<const T*>(draws)[i])));
    });
  });
}

void dirichlet_gradient(DType dtype, int64_t n, const void* draws, const void* concentrations, const void* totals,
                        void* out) {
  visit_floating(dtype, "_dirichlet_grad_cpu", [&](auto zero) {
    using T = decltype(zero);
    parallel_for(n, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        static_cast<T*>(out)[i] = to<T>(beta_gradient_one(as_double(static_cast<const T*>(draws)[i]),
                                                          as_double(static_cast<const T*>(concentrations)[i]),
                                                          as_double(static_cast<const T*>(totals)[i])));
    });
  });
}

}  // namespace rl::random
