#include <bit>
#include <cmath>
#include <utility>

#include "kernels/random_detail.h"

namespace rl::random {
namespace {

using namespace detail;

// ceil(p * 2^53): the draws below it are those whose value is below p.
int64_t threshold_of(double p) { return static_cast<int64_t>(std::ceil(p * 0x1p53)); }

template <class T> void fill_below(T* out, int64_t n, double p, T yes, Generator& g) {
  using U = std::conditional_t<
      sizeof(T) == 1, uint8_t,
      std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;
  auto bits = std::bit_cast<U>(yes);
  int64_t threshold = threshold_of(p);
  auto below = cpu::random().below_u53;
  draw<2>(n, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
    uint8_t keep[kChunk];
    below(words, keep, count, threshold);
    // A mask, since a branch on random bits is mispredicted as often as not.
    for (int64_t i = 0; i < count; ++i) out[begin + i] = std::bit_cast<T>(static_cast<U>(-U{keep[i]} & bits));
  });
}

int64_t poisson_one(double rate, Generator& g) {
  check(rate >= 0, "invalid Poisson rate, expected rate to be non-negative, got ", rate);
  if (rate == 0) return 0;
  if (rate < 10) {
    double floor = std::exp(-rate), product = 1.0;
    for (int64_t count = 0;; ++count) {
      product *= g.next_double();
      if (!(product > floor)) return count;
    }
  }
  // Transformed rejection (W. Hörmann, 1993).
  double root = std::sqrt(rate), log_rate = std::log(rate);
  double b = 0.931 + 2.53 * root;
  double a = -0.059 + 0.02483 * b;
  double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  double vr = 0.9277 - 3.6224 / (b - 2);
  while (true) {
    double u = g.next_double() - 0.5;
    double v = g.next_double();
    double us = 0.5 - std::fabs(u);
    double floor = std::floor((2 * a / us + b) * u + rate + 0.43);
    // Out of the range of the result: the smallest integer, as the conversion gives on x86.
    int64_t k = floor >= -0x1p63 && floor < 0x1p63 ? static_cast<int64_t>(floor) : std::numeric_limits<int64_t>::min();
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    double kd = static_cast<double>(k);
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <=
        -rate + kd * log_rate - std::lgamma(kd + 1)) {
      return k;
    }
  }
}

// The tail of Stirling's series for log(k!).
double stirling_tail(double k) {
  static constexpr double kSmall[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
                                      0.0166446911898211,  0.0138761288230707, 0.0118967099458917, 0.0104112652619720,
                                      0.00925546218271273, 0.00833056343336287};
  if (k <= 9) return kSmall[static_cast<size_t>(k)];
  double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

// Transformed rejection for count * p >= 10 (W. Hörmann, 1993), else sums of geometric draws.
double binomial_low(double count, double p, Generator& g) {
  if (count * p < 10) {
    double sum = 0, successes = 0, logq = std::log1p(-p);
    while (true) {
      sum += std::ceil(std::log(g.next_double()) / logq);
      if (sum > count) return successes;
      successes += 1;
    }
  }
  double deviation = std::sqrt(count * p * (1 - p));
  double b = 1.15 + 2.53 * deviation;
  double a = -0.0873 + 0.0248 * b + 0.01 * p;
  double c = count * p + 0.5;
  double vr = 0.92 - 4.2 / b;
  double odds = p / (1 - p);
  double alpha = (2.83 + 5.1 / b) * deviation;
  double mode = std::floor((count + 1) * p);
  while (true) {
    double u = g.next_double() - 0.5;
    double v = g.next_double();
    double us = 0.5 - std::fabs(u);
    double k = std::floor((2 * a / us + b) * u + c);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || k > count) continue;
    v = std::log(v * alpha / (a / (us * us) + b));
    double bound = (mode + 0.5) * std::log((mode + 1) / (odds * (count - mode + 1))) +
                   (count + 1) * std::log((count - mode + 1) / (count - k + 1)) +
                   (k + 0.5) * std::log(odds * (count - k + 1) / (k + 1)) + stirling_tail(mode) +
                   stirling_tail(count - mode) - stirling_tail(k) - stirling_tail(count - k);
    if (v <= bound) return k;
  }
}

double binomial_one(double count, double p, Generator& g) {
  if (count <= 0 || p <= 0) return 0;
  if (p >= 1) return count;
  if (p <= 0.5) return binomial_low(count, p, g);
  if (p > 0.5) return count - binomial_low(count, 1 - p, g);
  return std::numeric_limits<double>::quiet_NaN();
}

// One serial running sum per row, then a binary search per sample.
template <class T>
void multinomial_replaced(const T* weights, int64_t rows, int64_t categories, int64_t samples, int64_t* out,
                          Generator& g) {
  using C = compute_t<T>;
  std::vector<C> cumulative(static_cast<size_t>(categories));
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = weights + r * categories;
    C sum = 0;
    for (int64_t j = 0; j < categories; ++j) {
      C w = static_cast<C>(row[j]);
      check(w >= 0, "invalid multinomial distribution (encountering probability entry < 0)");
      check(std::isfinite(w), "invalid multinomial distribution (encountering probability entry = infinity or NaN)");
      sum += w;
      cumulative[static_cast<size_t>(j)] = sum;
    }
    check(sum > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
    for (C& c : cumulative) c /= sum;
    cumulative.back() = 1;
    for (int64_t i = 0; i < samples; ++i) {
      double u = g.next_double();
      auto at = std::partition_point(cumulative.begin(), cumulative.end(), [u](C c) { return c < u; });
      out[r * samples + i] = at - cumulative.begin();
    }
  }
}

// The race of exponentials: the samples are those of the largest weight / Exp(1).
template <class T>
void multinomial_race(const T* weights, int64_t rows, int64_t categories, int64_t samples, int64_t* out, Generator& g) {
  using C = compute_t<T>;
  for (int64_t i = 0; i < rows * categories; ++i) {
    C w = static_cast<C>(weights[i]);
    check(w >= 0 && std::isfinite(w), "probability tensor contains either `inf`, `nan` or element < 0");
  }
  for (int64_t r = 0; r < rows; ++r) {
    C sum = 0;
    for (int64_t j = 0; j < categories; ++j) sum += static_cast<C>(weights[r * categories + j]);
    check(sum > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
  }
  std::vector<T> race(static_cast<size_t>(rows * categories));
  transform_u53(race.data(), rows * categories, g, [](double u) { return -std::log1p(-u); });
  for (size_t i = 0; i < race.size(); ++i) race[i] = T(static_cast<C>(weights[i]) / static_cast<C>(race[i]));

  using Entry = std::pair<C, int64_t>;
  auto before = [](const Entry& a, const Entry& b) {
    return (std::isnan(a.first) && !std::isnan(b.first)) || a.first > b.first;
  };
  std::vector<Entry> entries(static_cast<size_t>(categories));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < categories; ++j) {
      entries[static_cast<size_t>(j)] = {static_cast<C>(race[static_cast<size_t>(r * categories + j)]), j};
    }
    if (samples == 1) {
      // The first of equals, as argmax.
      out[r] = std::min_element(entries.begin(), entries.end(), before)->second;
      continue;
    }
    // The same library calls as topk's, so that ties (weights of zero) fall alike.
    auto middle = entries.begin() + samples;
    if (samples * 64 <= categories) {
      std::partial_sort(entries.begin(), middle, entries.end(), before);
    } else {
      std::nth_element(entries.begin(), middle - 1, entries.end(), before);
      std::sort(entries.begin(), middle - 1, before);
    }
    for (int64_t i = 0; i < samples; ++i) out[r * samples + i] = entries[static_cast<size_t>(i)].second;
  }
}

void check_continuous(const char* name, DType dtype) {
  check(is_floating(dtype), name,
        " distribution is a continuous probability distribution. dtype must be a floating point but you specified ",
        scalar_type_name(dtype));
}

}  // namespace

void bernoulli(Out out, double p, Generator& g) {
  check(p >= 0 && p <= 1, "bernoulli_ expects p to be in [0, 1], but got p=", p);
  std::lock_guard lock(g.mutex());
  visit_real(out.dtype, "bernoulli_scalar_cpu_", [&](auto zero) {
    using T = decltype(zero);
    fill_below(static_cast<T*>(out.data), out.n, p, to<T>(1), g);
  });
}

void dropout_mask(Out out, double p, Generator& g) {
  check(p >= 0 && p < 1, "dropout probability has to be between 0 and 1, but got ", p);
  std::lock_guard lock(g.mutex());
  visit_floating(out.dtype, "bernoulli_scalar_cpu_", [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    auto* data = static_cast<T*>(out.data);
    if (p == 0) {  // nothing to drop, nothing drawn
      std::fill_n(data, out.n, to<T>(1));
    } else {
      fill_below(data, out.n, 1 - p, T(C(1) / static_cast<C>(1 - p)), g);
    }
  });
}

void bernoulli_each(Out out, DType p_dtype, const void* p, Generator& g) {
  std::lock_guard lock(g.mutex());
  visit_real(out.dtype, "bernoulli_tensor_cpu_self_", [&](auto out_zero) {
    using T = decltype(out_zero);
    auto* data = static_cast<T*>(out.data);
    visit_floating(p_dtype, "bernoulli_tensor_cpu_p_", [&](auto p_zero) {
      using P = decltype(p_zero);
      using C = compute_t<P>;
      auto* chance = static_cast<const P*>(p);
      bool sane = true;
      for (int64_t i = 0; i < out.n; ++i) sane &= static_cast<C>(chance[i]) >= 0 && static_cast<C>(chance[i]) <= 1;
      check(sane,
            "bernoulli expects every probability to be in [0, 1]: Expected p_in >= 0 && p_in <= 1 to be true, "
            "but got false.");
      constexpr int kWordsEach = std::is_same_v<P, double> ? 2 : 1;
      draw<kWordsEach>(out.n, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
          if constexpr (kWordsEach == 2) {
            data[begin + i] = to<T>(u53(words + 2 * i) < chance[begin + i]);
          } else {
            data[begin + i] = to<T>(u24(words[i]) < static_cast<float>(chance[begin + i]));
          }
        }
      });
    });
  });
}

void exponential(Out out, double lambda, Generator& g) {
  check_continuous("Exponential", out.dtype);
  check(lambda > 0, "exponential_ expects lambda > 0.0, but found lambda=", lambda);
  double scale = -1.0 / lambda;
  std::lock_guard lock(g.mutex());
  visit_floating(out.dtype, "exponential_cpu", [&](auto zero) {
    transform_u53(static_cast<decltype(zero)*>(out.data), out.n, g,
                  [scale](double u) { return scale * std::log1p(-u); });
  });
}

void geometric(Out out, double p, Generator& g) {
  check(p > 0 && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
  double logq = std::log1p(-p);
  std::lock_guard lock(g.mutex());
  visit_real(out.dtype, "geometric_cpu", [&](auto zero) {
    if constexpr (std::is_same_v<decltype(zero), bool>) {
      not_implemented("geometric_cpu", out.dtype);
    } else {
      transform_u53(static_cast<decltype(zero)*>(out.data), out.n, g,
                    [logq](double u) { return std::ceil(std::log(u) / logq); });
    }
  });
}

void cauchy(Out out, double median, double sigma, Generator& g) {
  constexpr double kPi = 3.14159265358979323846;
  check(sigma > 0, "cauchy_ expects sigma > 0.0, but found sigma=", sigma);
  check_continuous("Cauchy", out.dtype);
  std::lock_guard lock(g.mutex());
  visit_floating(out.dtype, "cauchy_cpu", [&](auto zero) {
    transform_u53(static_cast<decltype(zero)*>(out.data), out.n, g,
                  [=](double u) { return std::fma(sigma, std::tan(kPi * (u - 0.5)), median); });
  });
}

void log_normal(Out out, double mean, double std, Generator& g) {
  check(std > 0, "log_normal_ expects std > 0.0, but found std=", std);
  std::lock_guard lock(g.mutex());
  visit_floating(out.dtype, "log_normal_cpu", [&](auto zero) {
    using T = decltype(zero);
    auto* data = static_cast<T*>(out.data);
    for (int64_t i = 0; i < out.n; ++i) data[i] = to<T>(std::exp(std::fma(g.next_normal(), std, mean)));
  });
}

void poisson(Out out, const void* rates, Generator& g) {
  std::lock_guard lock(g.mutex());
  visit_floating(out.dtype, "poisson_cpu", [&](auto zero) {
    using T = decltype(zero);
    auto* rate = static_cast<const T*>(rates);
    auto* data = static_cast<T*>(out.data);
    for (int64_t i = 0; i < out.n; ++i) {
      data[i] = to<T>(poisson_one(static_cast<double>(static_cast<compute_t<T>>(rate[i])), g));
    }
  });
}

void binomial(Out out, const void* counts, const void* probabilities, Generator& g) {
  check_value(is_floating(out.dtype),
              "binomial only supports floating-point dtypes for count, got: ", scalar_type_name(out.dtype));
  std::lock_guard lock(g.mutex());
  visit_floating(out.dtype, "binomial_cpu", [&](auto zero) {
    using T = decltype(zero);
    if constexpr (is_small_float<T>) {
      not_implemented("binomial_cpu", out.dtype);
    } else {
      auto* count = static_cast<const T*>(counts);
      auto* p = static_cast<const T*>(probabilities);
      auto* data = static_cast<T*>(out.data);
      for (int64_t i = 0; i < out.n; ++i) data[i] = static_cast<T>(binomial_one(count[i], p[i], g));
    }
  });
}

void multinomial(DType dtype, const void* weights, int64_t rows, int64_t categories, int64_t samples, bool replacement,
                 int64_t* out, Generator& g) {
  check(is_floating(dtype),
        "multinomial only supports floating-point dtypes for input, got: ", scalar_type_name(dtype));
  check(samples > 0, "cannot sample n_sample <= 0 samples, got num_samples=", samples);
  check(replacement || samples <= categories,
        "cannot sample n_sample > prob_dist.size(-1) samples without replacement: ", samples, " of ", categories);
  if (rows == 0) return;
  check(categories > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
  std::lock_guard lock(g.mutex());
  visit_floating(dtype, "multinomial", [&](auto zero) {
    auto* row = static_cast<const decltype(zero)*>(weights);
    if (replacement && samples > 1) {
      multinomial_replaced(row, rows, categories, samples, out, g);
    } else {
      multinomial_race(row, rows, categories, samples, out, g);
    }
  });
}

}  // namespace rl::random
