// Pooling over windows of any shape, element by element.
#include "kernels/pool.h"

#include <algorithm>
#include <limits>

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
  int64_t from, to;
};
template <class F>
void each_window(const PoolShape& s, const F& f) {
  int64_t o = 0;
  Range d, h, w;
  for (int64_t i = 0; i < s.axis[0].out; ++i) {
    s.axis[0].range(i, d.from, d.to);
    for (int64_t j = 0; j < s.axis[1].out; ++j) {
      s.axis[1].range(j, h.from, h.to);
      for (int64_t k = 0; k < s.axis[2].out; ++k, ++o) {
        s.axis[2].range(k, w.from, w.to);
        f(o, i, j, k, d, h, w);
      }
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

int64_t divisor(const PoolShape& s, int64_t i, int64_t j, int64_t k) {
  if (s.divisor != 0) return s.divisor;
  return s.axis[0].count(i, s.include_pad) * s.axis[1].count(j, s.include_pad) * s.axis[2].count(k, s.include_pad);
}

}  // namespace

void max(DType dtype, const void* x, const PoolShape& s, void* out, int64_t* index) {
  const int64_t ins = s.in_size(), outs = s.out_size();
  visit(dtype, [&](auto tag) {
    using T = decltype(tag);
    using Limits = std::numeric_limits<T>;
    parallel_for(s.planes, planes_per_task(ins + outs), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const T* in = static_cast<const T*>(x) + p * ins;
        T* to = static_cast<T*>(out) + p * outs;
        each_window(s, [&](int64_t o, int64_t, int64_t, int64_t, const Range& d, const Range& h, const Range& w) {
          T best = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
          int64_t at = (d.from * s.axis[1].in + h.from) * s.axis[2].in + w.from;
          each_element(s, d, h, w, [&](int64_t i) {
            if (in[i] > best || in[i] != in[i]) best = in[i], at = i;
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
  visit(dtype, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(s.planes, planes_per_task(ins + outs), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const T* in = static_cast<const T*>(x) + p * ins;
        T* to = static_cast<T*>(out) + p * outs;
        each_window(s, [&](int64_t o, int64_t i, int64_t j, int64_t k, const Range& d, const Range& h, const Range& w) {
          T sum = 0;
          each_element(s, d, h, w, [&](int64_t e) { sum += in[e]; });
          to[o] = sum / static_cast<T>(divisor(s, i, j, k));
        });
      }
    });
  });
}

void mean_backward(DType dtype, const void* g, const PoolShape& s, void* dx) {
  const int64_t ins = s.in_size(), outs = s.out_size();
  visit(dtype, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(s.planes, planes_per_task(ins + outs), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const T* from = static_cast<const T*>(g) + p * outs;
        T* to = static_cast<T*>(dx) + p * ins;
        std::fill(to, to + ins, T(0));
        each_window(s, [&](int64_t o, int64_t i, int64_t j, int64_t k, const Range& d, const Range& h, const Range& w) {
          const T share = from[o] / static_cast<T>(divisor(s, i, j, k));
          each_element(s, d, h, w, [&](int64_t e) { to[e] += share; });
        });
      }
    });
  });
}

}  // namespace rl::pool
