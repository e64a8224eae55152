// What the cores can do at most: fused multiply-adds of float32 registers, on all threads at once. Prints GFLOP/s.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
typedef float Vec __attribute__((vector_size(kBytes)));
constexpr int kLanes = kBytes / 4, kChains = 12;  // enough to hide an addition's latency
constexpr long kRounds = 4'000'000;

// Compiled with contraction: each line is one fused operation.
float chains(float start) {
  Vec acc[kChains], a = Vec{} + start, b = Vec{} + start * 0.5f;
  for (int i = 0; i < kChains; ++i) acc[i] = Vec{} + static_cast<float>(i);
  for (long r = 0; r < kRounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) acc[i] = acc[i] * a + b;
  }
  float sum = 0;
  for (const Vec& v : acc) sum += v[0];
  return sum;
}

int main(int count, char** arguments) {
  const int threads = count > 1 ? std::atoi(arguments[1]) : 1;
  double best = 0;
  std::vector<float> sums(static_cast<size_t>(threads));  // so that they are computed
  for (int run = 0; run < 5; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> all;
    for (float& sum : sums) all.emplace_back([&sum] { sum = chains(0.5f); });
    for (std::thread& t : all) t.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const double rate = 2.0 * kLanes * kChains * kRounds * threads / took.count() / 1e9;
    best = rate > best ? rate : best;
  }
  std::printf("%.1f\n", best);
  return sums[0] == sums.back() ? 0 : 1;
}
