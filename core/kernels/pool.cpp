// Pooling over windows of any shape, element by element.
#include "kernels/pool.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "runtime/parallel.h"

namespace rl::pool {
namespace {

template <class F>
void visit(DType dtype, const F& f) {
  switch (dtype) {
    case DType::F32: return f(float{});
    case DType::F64: return f(double{});
    case DType::I64: return f(int64_t{});
    default: return;
  }
}

int64_t planes_per_task(int64_t work) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(work, 1)); }

// f(out position, ranges of the three axes) for every window of a plane.
struct Range {
  int64_t from, to, count;
};
Range range_of(const PoolAxis& a, int64_t o, const PoolShape& s) {
  Range r;
  a.range(o, r.from, r.to);
  r.count = s.divisor != 0 ? 1 : a.count(o, s.include_pad);
  return r;
}
// The last axis' ranges, which are the same in every row of every plane.
std::vector<Range> ranges_across(const PoolShape& s) {
  std::vector<Range> across(static_cast<size_t>(s.axis[2].out));
  for (int64_t k = 0; k < s.axis[2].out; ++k) across[static_cast<size_t>(k)] = range_of(s.axis[2], k, s);
  return across;
}
template <class F>
void each_window(const PoolShape& s, const std::vector<Range>& across, const F& f) {
  int64_t o = 0;
  for (int64_t i = 0; i < s.axis[0].out; ++i) {
    const Range d = range_of(s.axis[0], i, s);
    for (int64_t j = 0; j < s.axis[1].out; ++j) {
      const Range h = range_of(s.axis[1], j, s);
      for (const Range& w : across) f(o++, d, h, w);
    }
  }
}

// f(position in the plane) for every element of a window.
template <class F>
void each_element(const PoolShape& s, const Range& d, const Range& h, const Range& w, const F& f) {
  for (int64_t i = d.from; i < d.to; i += s.axis[0].dilation)
    for (int64_t j = h.from; j < h.to; j += s.axis[1].dilation) {
      const int64_t row = (i * s.axis[1].in + j) * s.axis[2].in;
      for (int64_t k = w.from; k < w.to; k += s.axis[2].dilation) f(row + k);
    }
}

// The sum of adjacent elements, by vectors: a wide window is a long chain of additions else.
template <class T>
T sum_of_run(const T* x, int64_t n) {
  constexpr int64_t kLanes = 16 / static_cast<int64_t>(sizeof(T)), kSums = 4;
  typedef T V __attribute__((vector_size(16)));
  T sum = 0;
  int64_t i = 0;
  if (n >= kSums * kLanes) {
    V sums[kSums] = {};
    for (; i + kSums * kLanes <= n; i += kSums * kLanes)
#pragma GCC unroll 4
      for (int64_t k = 0; k < kSums; ++k) {
        V v;
        std::memcpy(&v, x + i + k * kLanes, sizeof v);
        sums[k] += v;
      }
    const V all = (sums[0] + sums[2]) + (sums[1] + sums[3]);
    for (int64_t l = 0; l < kLanes; ++l) sum += all[l];
  }
  for (; i < n; ++i) sum += x[i];
  return sum;
}

template <class T>
void add_to_run(T* x, T value, int64_t n) {
  constexpr int64_t kLanes = 16 / static_cast<int64_t>(sizeof(T));
  typedef T V __attribute__((vector_size(16)));
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    V v;
    std::memcpy(&v, x + i, sizeof v);
    v += value;
    std::memcpy(x + i, &v, sizeof v);
  }
  for (; i < n; ++i) x[i] += value;
}

// f(position in the plane, how many elements follow one another there) for every row of a window without gaps.
template <class F>
void each_run(const PoolShape& s, const Range& d, const Range& h, const Range& w, const F& f) {
  for (int64_t i = d.from; i < d.to; i += s.axis[0].dilation)
    for (int64_t j = h.from; j < h.to; j += s.axis[1].dilation)
      f((i * s.axis[1].in + j) * s.axis[2].in + w.from, w.to - w.from);
}

template <class T>
T divisor(const PoolShape& s, const Range& d, const Range& h, const Range& w) {
  if (s.divisor != 0) return static_cast<T>(s.divisor);
  const double count = static_cast<double>(d.count) * static_cast<double>(h.count) * static_cast<double>(w.count);
  return static_cast<T>(count < 0x1p62 ? count : 0x1p62);
}

}  // namespace

void max(DType dtype, const void* x, const PoolShape& s, void* out, int64_t* index) {
  const int64_t ins = s.in_size(), outs = s.out_size();
  const std::vector<Range> across = ranges_across(s);
  visit(dtype, [&](auto tag) {
    using T = decltype(tag);
    using Limits = std::numeric_limits<T>;
    parallel_for(s.planes, planes_per_task(ins + outs), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const T* in = static_cast<const T*>(x) + p * ins;
        T* to = static_cast<T*>(out) + p * outs;
        each_window(s, across, [&](int64_t o, const Range& d, const Range& h, const Range& w) {
          T best = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
          int64_t at = (d.from * s.axis[1].in + h.from) * s.axis[2].in + w.from;
          each_element(s, d, h, w, [&](int64_t i) {
            const bool take = (in[i] > best) | (in[i] != in[i]);
            best = take ? in[i] : best;
            at = take ? i : at;
          });
          to[o] = best;
          index[p * outs + o] = std::clamp<int64_t>(at, 0, ins - 1);
        });
      }
    });
  });
}

void scatter(DType dtype, const void* g, const int64_t* index, int64_t planes, int64_t outs, int64_t ins, void* dx) {
  visit(dtype, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(planes, planes_per_task(ins + outs), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const T* from = static_cast<const T*>(g) + p * outs;
        const int64_t* at = index + p * outs;
        T* to = static_cast<T*>(dx) + p * ins;
        std::fill(to, to + ins, T(0));
        for (int64_t o = 0; o < outs; ++o)
          if (at[o] >= 0 && at[o] < ins) to[at[o]] += from[o];
      }
    });
  });
}

void mean(DType dtype, const void* x, const PoolShape& s, void* out) {
  const int64_t ins = s.in_size(), outs = s.out_size();
  const std::vector<Range> across = ranges_across(s);
  visit(dtype, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(s.planes, planes_per_task(ins + outs), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const T* in = static_cast<const T*>(x) + p * ins;
        T* to = static_cast<T*>(out) + p * outs;
        each_window(s, across, [&](int64_t o, const Range& d, const Range& h, const Range& w) {
          T sum = 0;
          if (s.axis[2].dilation == 1)
            each_run(s, d, h, w, [&](int64_t e, int64_t n) { sum += sum_of_run(in + e, n); });
          else
            each_element(s, d, h, w, [&](int64_t e) { sum += in[e]; });
          to[o] = sum / divisor<T>(s, d, h, w);
        });
      }
    });
  });
}

void mean_backward(DType dtype, const void* g, const PoolShape& s, void* dx) {
  const int64_t ins = s.in_size(), outs = s.out_size();
  const std::vector<Range> across = ranges_across(s);
  visit(dtype, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(s.planes, planes_per_task(ins + outs), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const T* from = static_cast<const T*>(g) + p * outs;
        T* to = static_cast<T*>(dx) + p * ins;
        std::fill(to, to + ins, T(0));
        each_window(s, across, [&](int64_t o, const Range& d, const Range& h, const Range& w) {
          const T share = from[o] / divisor<T>(s, d, h, w);
          if (s.axis[2].dilation == 1)
            each_run(s, d, h, w, [&](int64_t e, int64_t n) { add_to_run(to + e, share, n); });
          else
            each_element(s, d, h, w, [&](int64_t e) { to[e] += share; });
        });
      }
    });
  });
}

}  // namespace rl::pool
