#include <cstdlib>
#include <memory>

#include "kernels/sort.h"
#include "runtime/parallel.h"

namespace rl::cpu {
namespace {

template <class T>
inline auto ordered(T x) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return static_cast<float>(x);
  } else {
    return x;
  }
}

template <class F>
void visit_real(DType dtype, F&& f) {
  visit_dtype(dtype, [&](auto t) {
    if constexpr (!is_complex_v<decltype(t)>) f(t);
  });
}

// The number of elements before the place; a comparison with NaN fails, so NaN goes to the end.
template <bool Right, class T>
inline int64_t place_of(const T* sorted, const int64_t* sorter, int64_t n, T value) {
  auto v = ordered(value);
  int64_t low = 0;
  for (int64_t size = n; size > 0;) {
    int64_t half = size / 2, mid = low + half;
    auto x = ordered(sorted[sorter ? sorter[mid] : mid]);
    bool beyond = Right ? !(x > v) : !(x >= v);
    low = beyond ? mid + 1 : low;
    size = beyond ? size - half - 1 : half;
  }
  return low;
}

void searchsorted(int64_t* out, const void* sorted, const int64_t* sorter, const void* values, DType dtype,
                  int64_t rows, int64_t n, int64_t m, bool rows_shared, bool right) {
  visit_real(dtype, [&](auto t) {
    using T = decltype(t);
    parallel_for(rows * m, 2048, [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) {
        int64_t base = rows_shared ? 0 : u / m * n;
        const T* s = static_cast<const T*>(sorted) + base;
        const int64_t* order = sorter ? sorter + base : nullptr;
        T v = static_cast<const T*>(values)[u];
        out[u] = right ? place_of<true>(s, order, n, v) : place_of<false>(s, order, n, v);
      }
    });
  });
}

struct Free {
  void operator()(void* p) const { std::free(p); }
};

void isin(bool* out, const void* elements, int64_t n, const void* test, int64_t m, DType dtype, bool invert) {
  visit_real(dtype, [&](auto t) {
    using T = decltype(t);
    const T* x = static_cast<const T*>(elements);
    const T* s = static_cast<const T*>(test);
    std::unique_ptr<T, Free> sorted;
    if (m > 16) {
      sorted.reset(static_cast<T*>(std::malloc(static_cast<size_t>(m) * sizeof(T))));
      if (!sorted) throw std::bad_alloc();
      sort_table.sort(sorted.get(), nullptr, test, dtype, 1, m, 1, false);
    }
    parallel_for(n, 4096, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        auto v = ordered(x[i]);
        bool found = false;
        if (m > 16) {
          int64_t at = place_of<false>(sorted.get(), nullptr, m, x[i]);
          found = at < m && ordered(sorted.get()[at]) == v;
        } else {
          for (int64_t k = 0; k < m; ++k) found |= ordered(s[k]) == v;
        }
        out[i] = found != invert;
      }
    });
  });
}

}  // namespace

const SearchTable search_table = {searchsorted, isin};

}  // namespace rl::cpu
