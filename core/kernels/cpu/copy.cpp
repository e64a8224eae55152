#include "kernels/copy.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/item.h"
#include "kernels/stream.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

constexpr int kMaxDims = 64;
constexpr int64_t kParallelBytes = 512 << 10;  // least work worth a chunk of its own
constexpr int64_t kStreamedRun = 256;          // least bytes side by side that are worth streaming

// parallel_for with a grain of kParallelBytes (in the caller's items). Work that is not large is cut finer, for threads
// that are awake anyway.
template <class Body>
inline void split(int64_t n, int64_t grain, bool large, const Body& body) {
  if (n <= 0) return;
  (large ? detail::run_chunks : detail::run_light_chunks)(
      n, std::max<int64_t>(1, large ? grain : grain / 4),
      [](void* context, int64_t begin, int64_t end) { (*static_cast<const Body*>(context))(begin, end); },
      const_cast<Body*>(&body));
}

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// ---- 16-byte vectors: an NxN tile of N = 16 / sizeof(T) is transposed by log2(N) rounds of interleaving.

template <class T>
struct Tile {
  static constexpr int N = 16 / static_cast<int>(sizeof(T));
  typedef T V __attribute__((vector_size(16)));
  template <int Half, size_t... I>
  static inline V zip(V a, V b, std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, static_cast<int>(I % 2 ? N + Half + I / 2 : Half + I / 2)...);
  }
  static inline void transpose(T* d, int64_t ld_d, const T* s, int64_t ld_s) {
    V a[N], b[N];
    for (int i = 0; i < N; ++i) std::memcpy(&a[i], s + i * ld_s, 16);
#pragma GCC unroll 4
    for (int round = 1; round < N; round *= 2) {
#pragma GCC unroll 16
      for (int i = 0; i < N / 2; ++i) {
        b[2 * i] = zip<0>(a[i], a[i + N / 2], std::make_index_sequence<N>{});
        b[2 * i + 1] = zip<N / 2>(a[i], a[i + N / 2], std::make_index_sequence<N>{});
      }
#pragma GCC unroll 16
      for (int i = 0; i < N; ++i) a[i] = b[i];
    }
    for (int i = 0; i < N; ++i) std::memcpy(d + i * ld_d, &a[i], 16);
  }
};

// d[i1 * ld_d + i0] = s[i0 * ld_s + i1]
template <class T>
void transpose_block(T* d, int64_t ld_d, const T* s, int64_t ld_s, int64_t n1, int64_t n0) {
  if constexpr (sizeof(T) < 16) {
    constexpr int64_t N = Tile<T>::N;
    constexpr int64_t line = 64 / static_cast<int64_t>(sizeof(T));
    int64_t m1 = n1 - n1 % N, m0 = n0 - n0 % N;
    for (int64_t b0 = 0; b0 < m0; b0 += line) {
      int64_t e0 = std::min(b0 + line, m0);
      for (int64_t b1 = 0; b1 < m1; b1 += line) {
        int64_t e1 = std::min(b1 + line, m1);
        // Through a buffer, so that each line of either side is touched once: with strides that are powers of two
        // the lines of a tile share one cache set.
        alignas(64) T buffer[line * line];
        for (int64_t i0 = b0; i0 < e0; i0 += N)
          for (int64_t i1 = b1; i1 < e1; i1 += N)
            Tile<T>::transpose(buffer + (i1 - b1) * line + (i0 - b0), line, s + i0 * ld_s + i1, ld_s);
        if (e0 - b0 == line) {
          for (int64_t i1 = b1; i1 < e1; ++i1) std::memcpy(d + i1 * ld_d + b0, buffer + (i1 - b1) * line, 64);
        } else {
          for (int64_t i1 = b1; i1 < e1; ++i1)
            std::memcpy(d + i1 * ld_d + b0, buffer + (i1 - b1) * line, static_cast<size_t>(e0 - b0) * sizeof(T));
        }
      }
    }
    for (int64_t i0 = 0; i0 < m0; ++i0)
      for (int64_t i1 = m1; i1 < n1; ++i1) d[i1 * ld_d + i0] = s[i0 * ld_s + i1];
    for (int64_t i1 = 0; i1 < n1; ++i1)
      for (int64_t i0 = m0; i0 < n0; ++i0) d[i1 * ld_d + i0] = s[i0 * ld_s + i1];
  } else {
    for (int64_t i1 = 0; i1 < n1; ++i1)
      for (int64_t i0 = 0; i0 < n0; ++i0) d[i1 * ld_d + i0] = s[i0 * ld_s + i1];
  }
}

// 64 bytes or more in whole lines, the last one reaching back; shorter than what a call to memcpy pays off for.
inline void copy_lines(char* d, const char* s, int64_t bytes) {
  typedef char Line __attribute__((vector_size(64)));
  Line line;
  for (int64_t i = 0; i + 64 <= bytes; i += 64) {
    std::memcpy(&line, s + i, 64);
    std::memcpy(d + i, &line, 64);
  }
  if (bytes % 64 != 0) {
    std::memcpy(&line, s + bytes - 64, 64);
    std::memcpy(d + bytes - 64, &line, 64);
  }
}

// One run of n items with strides; the cases that matter are spelled out so that the compiler sees the constants.
template <class T>
inline void copy_run(T* d, int64_t ds, const T* s, int64_t ss, int64_t n) {
  if (ds == 1) {
    if (ss == 1) {
      const int64_t bytes = n * static_cast<int64_t>(sizeof(T));
      if (bytes >= 4096) {
        std::memcpy(d, s, static_cast<size_t>(bytes));
      } else if (bytes >= 64) {
        copy_lines(reinterpret_cast<char*>(d), reinterpret_cast<const char*>(s), bytes);
      } else {
        for (int64_t i = 0; i < n; ++i) d[i] = s[i];
      }
    } else if (ss == 0) {
      T v = s[0];
      for (int64_t i = 0; i < n; ++i) d[i] = v;
    } else if (ss == 2) {
      for (int64_t i = 0; i < n; ++i) d[i] = s[2 * i];
    } else if (ss == 3) {
      for (int64_t i = 0; i < n; ++i) d[i] = s[3 * i];
    } else if (ss == 4) {
      for (int64_t i = 0; i < n; ++i) d[i] = s[4 * i];
    } else if (ss == -1) {
      for (int64_t i = 0; i < n; ++i) d[i] = s[-i];
    } else {
      for (int64_t i = 0; i < n; ++i) d[i] = s[i * ss];
    }
  } else if (ss == 0) {
    T v = s[0];
    for (int64_t i = 0; i < n; ++i) d[i * ds] = v;
  } else {
    for (int64_t i = 0; i < n; ++i) d[i * ds] = s[i * ss];
  }
}

struct Strides2 {
  int64_t d1, d0, s1, s0;
};

template <class T>
void copy_block(T* d, const T* s, int64_t n1, int64_t n0, const Strides2& st) {
  if (st.d0 == 1 && st.s1 == 1 && st.s0 != 1 && st.s0 != 0 && n1 > 1 && !(n1 < 4 && sizeof(T) <= 4)) {
    transpose_block(d, st.d1, s, st.s0, n1, n0);
  } else if (n0 < 8 && n1 > n0) {
    for (int64_t b = 0; b < n1; b += 512) {
      int64_t n = std::min<int64_t>(512, n1 - b);
      for (int64_t i0 = 0; i0 < n0; ++i0)
        copy_run(d + i0 * st.d0 + b * st.d1, st.d1, s + i0 * st.s0 + b * st.s1, st.s1, n);
    }
  } else {
    for (int64_t i1 = 0; i1 < n1; ++i1) copy_run(d + i1 * st.d1, st.d0, s + i1 * st.s1, st.s0, n0);
  }
}

void copy_block_bytes(int64_t item, void* d, const void* s, int64_t n1, int64_t n0, const Strides2& st) {
  visit_item(item, [&](auto t) {
    using T = decltype(t);
    copy_block(static_cast<T*>(d), static_cast<const T*>(s), n1, n0, st);
  });
}

// A converting block: gather into scratch (unless the source rows are contiguous), convert, scatter.
constexpr int64_t kConvertBlock = 2048;
void convert_block2(void* d, int64_t dst_item, const void* s, int64_t src_item, ConvertFn fn, int64_t n1, int64_t n0,
                    const Strides2& st) {
  char* dst = static_cast<char*>(d);
  const char* src = static_cast<const char*>(s);
  if (st.d0 == 1 && st.s0 == 1 && n0 >= 32) {
    for (int64_t i1 = 0; i1 < n1; ++i1) fn(dst + i1 * st.d1 * dst_item, src + i1 * st.s1 * src_item, n0);
    return;
  }
  alignas(64) char from[kConvertBlock * 16];
  alignas(64) char to[kConvertBlock * 16];
  copy_block_bytes(src_item, from, s, n1, n0, {n0, 1, st.s1, st.s0});
  bool straight = st.d0 == 1 && (st.d1 == n0 || n1 == 1);
  fn(straight ? dst : to, from, n1 * n0);
  if (!straight) copy_block_bytes(dst_item, dst, to, n1, n0, {st.d1, st.d0, n0, 1});
}

// The iteration space, outermost dim first, after dropping dims of size 1, sorting by dst stride and merging.
struct Plan {
  int nd = 0;
  int64_t n[kMaxDims], d[kMaxDims], s[kMaxDims];
};

// False when there is nothing to do.
bool make_plan(Plan& p, const int64_t* sizes, const int64_t* ds, const int64_t* ss, int ndim) {
  for (int i = 0; i < ndim; ++i) {
    if (sizes[i] == 0) return false;
    if (sizes[i] == 1) continue;
    int64_t s = ss ? ss[i] : 0, ad = std::abs(ds[i]), as = std::abs(s);
    int at = p.nd++;
    while (at > 0 && (std::abs(p.d[at - 1]) < ad || (std::abs(p.d[at - 1]) == ad && std::abs(p.s[at - 1]) < as))) {
      p.n[at] = p.n[at - 1], p.d[at] = p.d[at - 1], p.s[at] = p.s[at - 1];
      --at;
    }
    p.n[at] = sizes[i], p.d[at] = ds[i], p.s[at] = s;
  }
  int out = 0;
  for (int i = 1; i < p.nd; ++i) {
    if (p.d[out] == p.d[i] * p.n[i] && p.s[out] == p.s[i] * p.n[i]) {
      p.n[out] *= p.n[i], p.d[out] = p.d[i], p.s[out] = p.s[i];
    } else {
      ++out;
      p.n[out] = p.n[i], p.d[out] = p.d[i], p.s[out] = p.s[i];
    }
  }
  p.nd = p.nd ? out + 1 : 0;
  return true;
}

// Splits the plan's space into blocks of the dims `k` and the innermost, and calls block(dst offset, src offset, n1, n0)
// for each, in parallel.
template <class Block>
void for_blocks(const Plan& p, int k, int64_t block1, int64_t block0, int64_t grain_items, const Block& block) {
  int in = p.nd - 1;
  int64_t n0 = p.n[in], n1 = k >= 0 ? p.n[k] : 1;
  int64_t d1 = k >= 0 ? p.d[k] : 0, s1 = k >= 0 ? p.s[k] : 0;
  int dims[kMaxDims], nouter = 0;
  int64_t outer = 1;
  for (int i = 0; i < in; ++i)
    if (i != k) dims[nouter++] = i, outer *= p.n[i];
  int64_t nb0 = ceil_div(n0, block0), nb1 = ceil_div(n1, block1);
  int64_t per_unit = std::min(block0, n0) * std::min(block1, n1);
  const bool large = outer * n1 * n0 >= 2 * grain_items;
  split(outer * nb1 * nb0, grain_items / per_unit, large, [&](int64_t begin, int64_t end) {
    int64_t index[kMaxDims];
    int64_t b0 = begin % nb0, b1 = begin / nb0 % nb1, rest = begin / (nb0 * nb1);
    int64_t od = 0, os = 0;
    for (int j = nouter - 1; j >= 0; --j) {
      index[j] = rest % p.n[dims[j]];
      rest /= p.n[dims[j]];
      od += index[j] * p.d[dims[j]];
      os += index[j] * p.s[dims[j]];
    }
    for (int64_t u = begin; u < end; ++u) {
      int64_t i0 = b0 * block0, i1 = b1 * block1;
      block(od + i1 * d1 + i0 * p.d[in], os + i1 * s1 + i0 * p.s[in], std::min(block1, n1 - i1),
            std::min(block0, n0 - i0));
      if (++b0 < nb0) continue;
      b0 = 0;
      if (++b1 < nb1) continue;
      b1 = 0;
      for (int j = nouter - 1; j >= 0; --j) {
        int dim = dims[j];
        od += p.d[dim], os += p.s[dim];
        if (++index[j] < p.n[dim]) break;
        od -= p.d[dim] * p.n[dim], os -= p.s[dim] * p.n[dim];
        index[j] = 0;
      }
    }
  });
}

void convert_block(void* dst, DType dst_dtype, const void* src, DType src_dtype, int64_t src_stride, int64_t n) {
  ConvertFn fn = convert_fns[static_cast<int>(dst_dtype)][static_cast<int>(src_dtype)];
  if (src_stride == 1) return fn(dst, src, n);
  int64_t di = item_size(dst_dtype), si = item_size(src_dtype);
  if (di == si && dst_dtype == src_dtype) {
    visit_item(si, [&](auto t) {
      using T = decltype(t);
      copy_run(static_cast<T*>(dst), 1, static_cast<const T*>(src), src_stride, n);
    });
    return;
  }
  constexpr int64_t kStep = 512;
  alignas(64) char scratch[kStep * 16];
  if (src_stride == 0) {
    alignas(16) char one[16];
    fn(one, src, 1);
    visit_item(di, [&](auto t) {
      using T = decltype(t);
      copy_run(static_cast<T*>(dst), 1, reinterpret_cast<const T*>(one), 0, n);
    });
    return;
  }
  for (int64_t b = 0; b < n; b += kStep) {
    int64_t m = std::min(kStep, n - b);
    visit_item(si, [&](auto t) {
      using T = decltype(t);
      copy_run(reinterpret_cast<T*>(scratch), 1, static_cast<const T*>(src) + b * src_stride, src_stride, m);
    });
    fn(static_cast<char*>(dst) + b * di, scratch, m);
  }
}

void copy_strided(void* dst, DType dst_dtype, const int64_t* dst_strides, const void* src, DType src_dtype,
                  const int64_t* src_strides, const int64_t* sizes, int ndim) {
  Plan p;
  if (!make_plan(p, sizes, dst_strides, src_strides, ndim)) return;
  int64_t di = item_size(dst_dtype), si = item_size(src_dtype);
  ConvertFn fn = convert_fns[static_cast<int>(dst_dtype)][static_cast<int>(src_dtype)];
  if (p.nd == 0) return fn(dst, src, 1);
  char* d = static_cast<char*>(dst);
  const char* s = static_cast<const char*>(src);
  bool same = dst_dtype == src_dtype;
  int in = p.nd - 1;
  int64_t grain = kParallelBytes / (di + si);
  int64_t total = 1;
  bool in_order = true;  // the dst, in the order of the plan
  for (int i = p.nd - 1; i >= 0; total *= p.n[i--]) in_order &= p.d[i] == total;
  const bool far = in_order && total * di >= kFarBytes && dst != src;
  if (far && same && p.nd == 1 && p.s[0] == 1) {
    split(p.n[0], grain, true, [&](int64_t b, int64_t e) { stream_copy(d + b * di, s + b * si, (e - b) * di); });
    return;
  }
  if (far && p.nd == 1) {
    const int64_t step = p.s[0], piece = Stream::kPiece / di;
    split(p.n[0], grain, true, [&](int64_t begin, int64_t end) {
      Stream stream(d + begin * di);
      for (int64_t b = begin; b < end; b += piece) {
        const int64_t n = std::min(piece, end - b);
        convert_block(stream.room(), dst_dtype, s + b * step * si, src_dtype, step, n);
        const Ahead ahead{s + (step < 0 ? 1 - b - 2 * piece : b + piece) * si, 64 * si / di};
        stream.put(n * di, &ahead, step == 1 || step == -1 ? 1 : 0);
      }
    });
    return;
  }
  if (p.nd == 1 && p.d[0] == 1 && p.s[0] == 1) {
    split(p.n[0], grain, p.n[0] >= 2 * grain, [&](int64_t b, int64_t e) { fn(d + b * di, s + b * si, e - b); });
    return;
  }
  // The second dim of a block: the one that is contiguous in the source, or else the next one out.
  int k = in - 1;
  bool transposed = false;
  if (p.s[in] != 1 && p.s[in] != 0) {
    for (int i = 0; i < in; ++i)
      if (p.s[i] == 1) k = i, transposed = true;
  }
  int64_t block0, block1;
  if (!same) {
    block0 = std::min<int64_t>(p.n[in], transposed ? 32 : p.s[in] == 1 && p.d[in] == 1 ? 1 << 14 : kConvertBlock);
    block1 = std::max<int64_t>(1, kConvertBlock / block0);
  } else if (transposed) {
    block1 = 128 / si >= 16 ? 128 / si * 2 : 32;
    block0 = block1;
    if (p.n[in] < block0) block0 = p.n[in], block1 = std::max<int64_t>(block1, 4096 / block0);
    if (k >= 0 && p.n[k] < block1) block1 = p.n[k], block0 = std::max<int64_t>(block0, 4096 / block1);
  } else {
    block0 = std::min<int64_t>(p.n[in], 1 << 14);
    block1 = std::max<int64_t>(1, (1 << 12) / block0);
  }
  Strides2 st{k >= 0 ? p.d[k] : 0, p.d[in], k >= 0 ? p.s[k] : 0, p.s[in]};
  if (far && same && (p.s[in] == 1 || p.s[in] == -1) && p.n[in] * di >= kStreamedRun) {
    // Rows that lie side by side in the source, forwards or backwards: those of the result follow one another.
    const int64_t n0 = p.n[in];
    split(total / n0, std::max<int64_t>(1, grain / n0), true, [&](int64_t begin, int64_t end) {
      Stream stream(d + begin * n0 * di);
      for (int64_t row = begin; row < end; ++row) {
        const char* from = s;
        for (int64_t i = in - 1, rest = row; i >= 0; rest /= p.n[i--]) from += rest % p.n[i] * p.s[i] * si;
        if (p.s[in] == 1) {
          stream.copy(from, n0 * di);
          continue;
        }
        for (int64_t b = 0, piece = Stream::kPiece / di; b < n0; b += piece) {
          const int64_t n = std::min(piece, n0 - b);
          convert_block(stream.room(), dst_dtype, from - b * si, src_dtype, -1, n);
          const Ahead ahead{from + (1 - b - 2 * piece) * si, 64};
          stream.put(n * di, &ahead, b + 2 * piece <= n0 ? 1 : 0);
        }
      }
    });
    return;
  }
  if (same) {
    visit_item(di, [&](auto t) {
      using T = decltype(t);
      for_blocks(p, k, block1, block0, grain, [&](int64_t od, int64_t os, int64_t n1, int64_t n0) {
        copy_block(static_cast<T*>(dst) + od, static_cast<const T*>(src) + os, n1, n0, st);
      });
    });
  } else {
    for_blocks(p, k, block1, block0, grain, [&](int64_t od, int64_t os, int64_t n1, int64_t n0) {
      convert_block2(d + od * di, di, s + os * si, si, fn, n1, n0, st);
    });
  }
}

// A run by itself: a byte that is stored could be anything that a loop elsewhere still reads.
template <class T>
[[gnu::noinline]] void fill_run(T* d, int64_t step, T value, int64_t n) {
  if (step == 1) {
    for (int64_t i = 0; i < n; ++i) d[i] = value;
  } else {
    for (int64_t i = 0; i < n; ++i) d[i * step] = value;
  }
}

template <class T>
void fill_typed(T* dst, const Plan& p, T value) {
  int in = p.nd - 1, k = in - 1;
  int64_t block0 = std::min<int64_t>(p.n[in], 1 << 15), block1 = std::max<int64_t>(1, (1 << 12) / block0);
  int64_t d0 = p.d[in], d1 = k >= 0 ? p.d[k] : 0;
  for_blocks(p, k, block1, block0, kParallelBytes / static_cast<int64_t>(sizeof(T)),
             [&](int64_t od, int64_t, int64_t n1, int64_t n0) {
               for (int64_t i1 = 0; i1 < n1; ++i1) fill_run(dst + od + i1 * d1, d0, value, n0);
             });
}

void fill(void* dst, DType dtype, const int64_t* strides, const int64_t* sizes, int ndim, const void* value) {
  Plan p;
  if (!make_plan(p, sizes, strides, nullptr, ndim)) return;
  visit_item(item_size(dtype), [&](auto t) {
    using T = decltype(t);
    T v;
    std::memcpy(&v, value, sizeof(T));
    if (p.nd == 0) {
      *static_cast<T*>(dst) = v;
    } else {
      fill_typed(static_cast<T*>(dst), p, v);
    }
  });
}

void scatter_block(void* dst, int64_t dst_stride, const void* src, int64_t item_bytes, int64_t n) {
  visit_item(item_bytes, [&](auto t) {
    using T = decltype(t);
    copy_run(static_cast<T*>(dst), dst_stride, static_cast<const T*>(src), 1, n);
  });
}

// d[o * count + i] = parts[i][o]: parts of one item for each o.
template <class T, int kCount>
[[gnu::noinline]] void interleave(T* __restrict d, const CatPart* parts, int64_t count, int64_t begin, int64_t end) {
  if constexpr (kCount > 0) {
    const T* __restrict s[kCount];
    for (int i = 0; i < kCount; ++i) s[i] = static_cast<const T*>(parts[i].data);
    for (int64_t o = begin; o < end; ++o)
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) d[o * kCount + i] = s[i][o];
  } else {
    constexpr int64_t kPiece = 256;  // what the parts write into stays in the cache
    for (int64_t b = begin; b < end; b += kPiece) {
      const int64_t e = std::min(b + kPiece, end);
      for (int64_t i = 0; i < count; ++i) {
        const T* __restrict s = static_cast<const T*>(parts[i].data);
        for (int64_t o = b; o < e; ++o) d[o * count + i] = s[o];
      }
    }
  }
}

inline void copy_bytes(char* d, const char* s, int64_t n) {
  switch (n) {
    case 4: std::memcpy(d, s, 4); break;
    case 8: std::memcpy(d, s, 8); break;
    case 16: std::memcpy(d, s, 16); break;
    default: std::memcpy(d, s, static_cast<size_t>(n));
  }
}

void copy_plain(char* d, const char* s, int64_t n) { std::memcpy(d, s, static_cast<size_t>(n)); }

void cat(void* dst, int64_t outer, const CatPart* parts, int64_t count) {
  int64_t row = 0;
  for (int64_t i = 0; i < count; ++i) row += parts[i].bytes;
  if (row == 0 || outer == 0) return;
  char* d = static_cast<char*>(dst);
  const bool far = outer * row >= kFarBytes;
  constexpr int64_t kGrain = kParallelBytes / 2;  // a byte written is one read, too
  const int64_t item = parts[0].bytes;
  bool items = count > 1 && outer > 1 && item <= 16 && (item & (item - 1)) == 0;
  for (int64_t i = 1; i < count; ++i) items &= parts[i].bytes == item;
  if (items) {
    visit_item(item, [&](auto t) {
      using T = decltype(t);
      const auto run = count == 2   ? interleave<T, 2>
                       : count == 3 ? interleave<T, 3>
                       : count == 4 ? interleave<T, 4>
                                    : interleave<T, 0>;
      split(outer, kGrain / row, outer * row >= 4 * kGrain,
            [&](int64_t begin, int64_t end) { run(static_cast<T*>(dst), parts, count, begin, end); });
    });
    return;
  }
  if (row >= kGrain) {
    for (int64_t o = 0; o < outer; ++o) {
      split(row, kGrain, row >= 4 * kGrain, [&](int64_t begin, int64_t end) {
        int64_t at = 0;  // where the part starts
        for (int64_t i = 0; i < count && at < end; ++i) {
          const int64_t n = parts[i].bytes, from = std::max<int64_t>(begin - at, 0), to = std::min(n, end - at);
          if (from < to)
            (far ? stream_copy : copy_plain)(d + o * row + at + from,
                                             static_cast<const char*>(parts[i].data) + o * n + from, to - from);
          at += n;
        }
      });
    }
    return;
  }
  split(outer, kGrain / row, outer * row >= 4 * kGrain, [&](int64_t begin, int64_t end) {
    if (far && row >= count * kStreamedRun) {
      Stream stream(d + begin * row);
      for (int64_t o = begin; o < end; ++o)
        for (int64_t i = 0; i < count; ++i)
          stream.copy(static_cast<const char*>(parts[i].data) + o * parts[i].bytes, parts[i].bytes);
      return;
    }
    for (int64_t o = begin; o < end; ++o) {
      char* at = d + o * row;
      for (int64_t i = 0; i < count; ++i) {
        int64_t n = parts[i].bytes;
        copy_bytes(at, static_cast<const char*>(parts[i].data) + o * n, n);
        at += n;
      }
    }
  });
}

template <class T>
void ramp(T* out, int64_t n, double first, double ascent, double start, double step, bool exact) {
  if (exact) {
    for (int64_t i = 0; i < n; ++i)
      out[i] = static_cast<T>(start + (first + static_cast<double>(static_cast<int32_t>(i)) * ascent) * step);
  } else {
    for (int64_t i = 0; i < n; ++i)
      out[i] =
          static_cast<T>(__builtin_fma(first + static_cast<double>(static_cast<int32_t>(i)) * ascent, step, start));
  }
}

void ramp_of(void* out, DType dtype, int64_t n, double first, double ascent, double start, double step, bool exact) {
  if (dtype == DType::F64) return ramp(static_cast<double*>(out), n, first, ascent, start, step, exact);
  ramp(static_cast<float*>(out), n, first, ascent, start, step, exact);
}

}  // namespace

const CopyTable copy_table = {copy_strided, fill, convert_block, scatter_block, cat, ramp_of};

}  // namespace rl::cpu::RL_ISA
