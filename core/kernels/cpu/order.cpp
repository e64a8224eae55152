// The parts of sorting that vectorise: keys, the places of short rows' elements, the search for candidates of topk.
#include "kernels/sort.h"

namespace rl::cpu::RL_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kWidth = 64;
#elif defined(__AVX2__)
constexpr int kWidth = 32;
#else
constexpr int kWidth = 16;
#endif

template <class I>
struct Lanes;
template <>
struct Lanes<int32_t> {
  typedef int32_t V __attribute__((vector_size(kWidth)));
  static constexpr int32_t kMin = INT32_MIN, kMax = INT32_MAX, kInf = 0x7F800000;
};
template <>
struct Lanes<int64_t> {
  typedef int64_t V __attribute__((vector_size(kWidth)));
  static constexpr int64_t kMin = INT64_MIN, kMax = INT64_MAX, kInf = INT64_C(0x7FF0000000000000);
};

// Signed keys of integers, or of the bits of floats; without branches, and the same code for both.
template <class I>
struct Order {
  I fold, inf, minus_zero, flip;
  Order(bool floating, bool descending)
      : fold(floating ? Lanes<I>::kMax : 0),
        inf(floating ? Lanes<I>::kInf : Lanes<I>::kMax),
        minus_zero(floating),
        flip(-I{descending}) {}

  [[gnu::always_inline]] I key(I x) const {
    I k = x ^ ((x >> (8 * sizeof(I) - 1)) & fold);
    k += x == Lanes<I>::kMin ? minus_zero : 0;
    k = (x & Lanes<I>::kMax) > inf ? Lanes<I>::kMax : k;
    return k ^ flip;
  }
};

// The places of elements [i, i + Count) among those before them; each that one of them precedes moves on.
template <int Count, class I, class V>
[[gnu::always_inline]] inline void place(const V* keys, V* ranks, int64_t i, int64_t step) {
  V key[Count], rank[Count];
  for (int t = 0; t < Count; ++t) key[t] = keys[(i + t) * step], rank[t] = V{} + static_cast<I>(i + t);
  for (int64_t j = 0; j < i; ++j) {
    const V before = keys[j * step];
    V moved = ranks[j * step];
    for (int t = 0; t < Count; ++t) {
      const V greater = before > key[t];
      rank[t] += greater;
      moved -= greater;
    }
    ranks[j * step] = moved;
  }
  for (int t = 1; t < Count; ++t) {
    for (int s = 0; s < t; ++s) {
      const V greater = key[s] > key[t];
      rank[t] += greater;
      rank[s] -= greater;
    }
  }
  for (int t = 0; t < Count; ++t) ranks[(i + t) * step] = rank[t];
}

template <class I>
void ranks(void* elements, void* places, int64_t n, bool floating, bool descending) {
  using V = typename Lanes<I>::V;
  constexpr int64_t kStep = 64 / kWidth;
  const Order<I> order(floating, descending);
  I* x = static_cast<I*>(elements);
  for (int64_t i = 0; i < n * 64 / static_cast<int64_t>(sizeof(I)); ++i) x[i] = order.key(x[i]);
  for (int64_t part = 0; part < kStep; ++part) {
    V *keys = static_cast<V*>(elements) + part, *ranks = static_cast<V*>(places) + part;
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) place<4, I>(keys, ranks, i, kStep);
    for (; i < n; ++i) place<1, I>(keys, ranks, i, kStep);
  }
}

void span32(const void* x, int64_t n, bool floating, bool descending, int32_t* low_high) {
  const Order<int32_t> order(floating, descending);
  const int32_t* from = static_cast<const int32_t*>(x);
  int32_t low = INT32_MAX, high = INT32_MIN;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t key = order.key(from[i]);
    low = key < low ? key : low;
    high = key > high ? key : high;
  }
  low_high[0] = low, low_high[1] = high;
}

void words32(const void* x, int64_t begin, int64_t end, bool floating, bool descending, int32_t base, uint64_t* words) {
  const Order<int32_t> order(floating, descending);
  const int32_t* from = static_cast<const int32_t*>(x);
  for (int64_t i = begin; i < end; ++i) {
    const uint32_t above = static_cast<uint32_t>(order.key(from[i])) - static_cast<uint32_t>(base);
    words[i] = static_cast<uint64_t>(above) << 32 | static_cast<uint64_t>(i);
  }
}

template <class I>
int64_t candidates(const void* x, int64_t n, int64_t bound, bool floating, bool descending, uint8_t* hits) {
  const Order<I> order(floating, descending);
  const I* from = static_cast<const I*>(x);
  const I limit = static_cast<I>(bound);
  int64_t i = 0;
  for (; i + kCandidates <= n; i += kCandidates, from += kCandidates) {
    I found = 0;
    for (int64_t k = 0; k < kCandidates; ++k) found |= order.key(from[k]) < limit;
    if (!found) continue;
    for (int64_t k = 0; k < kCandidates; ++k) hits[k] = order.key(from[k]) < limit;
    break;
  }
  return i;
}

}  // namespace

const OrderTable order_table = {64 / kWidth, ranks<int32_t>,      ranks<int64_t>,     span32,
                                words32,     candidates<int32_t>, candidates<int64_t>};

}  // namespace rl::cpu::RL_ISA
