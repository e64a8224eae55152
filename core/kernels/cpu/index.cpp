#include "kernels/index.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/convert.h"
#include "kernels/cpu/item.h"
#include "kernels/index_scatter.h"
#include "kernels/stream.h"
#include "runtime/parallel.h"
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace rl::cpu::RL_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;
constexpr int64_t kMaskBlock = 1 << 14;

int64_t wrap_indices(int64_t* out, const int64_t* index, int64_t n, int64_t size, int64_t low) {
  bool bad = false;
  constexpr int64_t kBlock = 4096;
  // The check comes first, whole, so that a bad index leaves out untouched.
  for (int64_t b = 0; b < n && !bad; b += kBlock) {
    int64_t e = std::min(n, b + kBlock), any = 0;
    for (int64_t i = b; i < e; ++i) any |= (index[i] < low) | (index[i] >= size);
    bad = any != 0;
  }
  if (bad) {
    for (int64_t i = 0; i < n; ++i)
      if (index[i] < low || index[i] >= size) return i;
  }
  if (out && (out != index || low < 0)) {
    for (int64_t i = 0; i < n; ++i) out[i] = index[i] + (index[i] < 0 ? size : 0);
  }
  return -1;
}

int64_t add_offsets(int64_t* out, const int64_t* index, const int64_t* strides, const int64_t* sizes, int ndim,
                    int64_t size, int64_t stride) {
  int64_t total = 1;
  for (int i = 0; i < ndim; ++i) total *= sizes[i];
  if (total == 0) return -1;
  int64_t n = ndim ? sizes[ndim - 1] : 1, s = ndim ? strides[ndim - 1] : 1;
  int64_t at[64] = {}, offset = 0;
  for (int64_t done = 0; done < total; done += n) {
    int64_t bad = 0;
    const int64_t* x = index + offset;
    for (int64_t i = 0; i < n; ++i) {
      int64_t v = x[i * s];
      bad |= (v < -size) | (v >= size);
      out[done + i] += (v + (v < 0 ? size : 0)) * stride;
    }
    if (bad) {
      for (int64_t i = 0; i < n; ++i)
        if (x[i * s] < -size || x[i * s] >= size) return done + i;
    }
    for (int d = ndim - 2; d >= 0; --d) {
      offset += strides[d];
      if (++at[d] < sizes[d]) break;
      offset -= strides[d] * sizes[d];
      at[d] = 0;
    }
  }
  return -1;
}

void gather_rows(void* dst, const void* src, int64_t item, RowLayout l, const int64_t* index, int64_t outer, int64_t n,
                 int64_t inner) {
  if (l.inner_stride == 1 && inner > 1) {
    int64_t bytes = inner * item;
    // Rows of the size of a plain type are moved as that type.
    if (!((bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16) && l.outer_stride % inner == 0 &&
          l.index_stride % inner == 0)) {
      parallel_for(outer * n, std::max<int64_t>(1, (kGrain * 4) / bytes), [&](int64_t begin, int64_t end) {
        char* d = static_cast<char*>(dst) + begin * bytes;
        int64_t o = begin / n, j = begin % n;
        if (bytes >= 256 && outer * n * bytes >= kFarBytes) {
          Stream stream(d);
          for (int64_t u = begin; u < end; ++u) {
            const char* s = static_cast<const char*>(src) + (o * l.outer_stride + index[j] * l.index_stride) * item;
            if (++j == n) j = 0, ++o;
            for (int64_t at = 0; u + 1 < end && at < std::min<int64_t>(bytes, 1024); at += 64)
              __builtin_prefetch(static_cast<const char*>(src) +
                                 (o * l.outer_stride + index[j] * l.index_stride) * item + at);
            stream.copy(s, bytes);
          }
          return;
        }
        for (int64_t u = begin; u < end; ++u, d += bytes) {
          const char* s = static_cast<const char*>(src) + (o * l.outer_stride + index[j] * l.index_stride) * item;
          if (bytes <= 64) {
            int64_t k = 0;
            for (; k + 8 <= bytes; k += 8) std::memcpy(d + k, s + k, 8);
            for (; k < bytes; ++k) d[k] = s[k];
          } else {
            std::memcpy(d, s, static_cast<size_t>(bytes));
          }
          if (++j == n) j = 0, ++o;
        }
      });
      return;
    }
    l.outer_stride /= inner, l.index_stride /= inner;
    item = bytes;
    inner = 1;
  }
  visit_item(item, [&](auto t) {
    using T = decltype(t);
    T* d = static_cast<T*>(dst);
    const T* s = static_cast<const T*>(src);
    if (inner == 1) {
      int64_t step = std::max<int64_t>(1, std::min<int64_t>(n, kGrain));
      int64_t blocks = (n + step - 1) / step;
      parallel_for(outer * blocks, std::max<int64_t>(1, kGrain / step), [&](int64_t begin, int64_t end) {
        for (int64_t u = begin; u < end; ++u) {
          int64_t o = u / blocks, b = u % blocks * step, e = std::min(n, b + step);
          const T* from = s + o * l.outer_stride;
          T* to = d + o * n;
          if (l.index_stride == 1) {
            for (int64_t j = b; j < e; ++j) to[j] = from[index[j]];
          } else {
            for (int64_t j = b; j < e; ++j) to[j] = from[index[j] * l.index_stride];
          }
        }
      });
    } else {
      parallel_for(outer * n, std::max<int64_t>(1, kGrain / inner), [&](int64_t begin, int64_t end) {
        for (int64_t u = begin; u < end; ++u) {
          const T* from = s + u / n * l.outer_stride + index[u % n] * l.index_stride;
          T* to = d + u * inner;
          for (int64_t i = 0; i < inner; ++i) to[i] = from[i * l.inner_stride];
        }
      });
    }
  });
}

// The space that a loop runs over: without dims of size 1, neighbours joined that all three sides step through alike.
struct Space {
  int nd = 0, dim = -1;  // dim: where the indexed dim ended up
  int64_t n[64], a[64], b[64], c[64];
};
// False when it is empty.
bool make_space(Space& p, const int64_t* sizes, const int64_t* a, const int64_t* b, const int64_t* c, int ndim,
                int dim) {
  for (int i = 0; i < ndim; ++i) {
    if (sizes[i] == 0) return false;
    if (sizes[i] == 1) continue;
    int64_t av = i == dim ? 0 : a[i];  // a is the indexed side: it does not move along dim by itself
    int at = p.nd - 1;
    if (at >= 0 && i != dim && p.dim != at && p.a[at] == av * sizes[i] && p.b[at] == b[i] * sizes[i] &&
        p.c[at] == c[i] * sizes[i]) {
      p.n[at] *= sizes[i], p.a[at] = av, p.b[at] = b[i], p.c[at] = c[i];
      continue;
    }
    if (i == dim) p.dim = p.nd;
    p.n[p.nd] = sizes[i], p.a[p.nd] = av, p.b[p.nd] = b[i], p.c[p.nd] = c[i];
    ++p.nd;
  }
  if (p.nd == 0) p.nd = 1, p.n[0] = 1, p.a[0] = p.b[0] = p.c[0] = 0;
  return true;
}

// Calls f(a offset, b offset, c offset, length) for runs of the innermost dim, in parallel.
template <class F>
void for_runs(const Space& p, int64_t grain, F&& f) {
  int in = p.nd - 1;
  int64_t n0 = p.n[in], block = std::min<int64_t>(n0, kGrain), blocks = (n0 + block - 1) / block, outer = 1;
  for (int i = 0; i < in; ++i) outer *= p.n[i];
  parallel_for(outer * blocks, std::max<int64_t>(1, grain / block), [&](int64_t begin, int64_t end) {
    int64_t at[64], rest = begin / blocks, blk = begin % blocks, oa = 0, ob = 0, oc = 0;
    for (int i = in - 1; i >= 0; --i) {
      at[i] = rest % p.n[i];
      rest /= p.n[i];
      oa += at[i] * p.a[i], ob += at[i] * p.b[i], oc += at[i] * p.c[i];
    }
    for (int64_t u = begin; u < end; ++u) {
      int64_t i0 = blk * block;
      f(oa + i0 * p.a[in], ob + i0 * p.b[in], oc + i0 * p.c[in], std::min(block, n0 - i0));
      if (++blk < blocks) continue;
      blk = 0;
      for (int i = in - 1; i >= 0; --i) {
        oa += p.a[i], ob += p.b[i], oc += p.c[i];
        if (++at[i] < p.n[i]) break;
        oa -= p.a[i] * p.n[i], ob -= p.b[i] * p.n[i], oc -= p.c[i] * p.n[i];
        at[i] = 0;
      }
    }
  });
}

void gather(void* dst, const int64_t* ds, const void* src, const int64_t* ss, int64_t item, const int64_t* index,
            const int64_t* is, const int64_t* sizes, int ndim, int dim) {
  Space p;
  if (!make_space(p, sizes, ss, ds, is, ndim, dim)) return;
  int64_t step = ndim ? ss[dim] : 1;
  int in = p.nd - 1;
  int64_t a0 = p.a[in], b0 = p.b[in], c0 = p.c[in];
  visit_item(item, [&](auto t) {
    using T = decltype(t);
    for_runs(p, kGrain, [&](int64_t oa, int64_t ob, int64_t oc, int64_t n) {
      const T* s = static_cast<const T*>(src) + oa;
      T* d = static_cast<T*>(dst) + ob;
      const int64_t* x = index + oc;
      if (b0 == 1 && c0 == 1) {
        if (a0 == 0 && step == 1) {
          for (int64_t i = 0; i < n; ++i) d[i] = s[x[i]];
        } else {
          for (int64_t i = 0; i < n; ++i) d[i] = s[i * a0 + x[i] * step];
        }
      } else {
        for (int64_t i = 0; i < n; ++i) d[i * b0] = s[i * a0 + x[i * c0] * step];
      }
    });
  });
}

// By bits: compilers make a branch of c[i] ? a[i] : b[i].
template <class T, class A, class B>
inline void blend_run(T* d, const uint8_t* c, int64_t n, const A& a, const B& b) {
  if constexpr (std::is_same_v<T, Item16>) {
    for (int64_t i = 0; i < n; ++i) d[i] = c[i] ? a(i) : b(i);
  } else {
    for (int64_t i = 0; i < n; ++i) {
      const T keep = static_cast<T>(T(0) - static_cast<T>(c[i] != 0));
      d[i] = static_cast<T>((a(i) & keep) | (b(i) & static_cast<T>(~keep)));
    }
  }
}
template <class T>
inline void where_run(T* d, int64_t ds, const uint8_t* c, int64_t cs, const T* a, int64_t as, const T* b, int64_t bs,
                      int64_t n) {
  auto of = [](const T* p) { return [p](int64_t i) { return p[i]; }; };
  auto one = [](const T* p) { return [v = *p](int64_t) { return v; }; };
  if (ds == 1 && cs == 1 && as == 1 && bs == 1) {
    blend_run(d, c, n, of(a), of(b));
  } else if (ds == 1 && cs == 1 && as == 0 && bs == 1) {
    blend_run(d, c, n, one(a), of(b));
  } else if (ds == 1 && cs == 1 && as == 1 && bs == 0) {
    blend_run(d, c, n, of(a), one(b));
  } else if (ds == 1 && cs == 1 && as == 0 && bs == 0) {
    blend_run(d, c, n, one(a), one(b));
  } else if (ds == 1 && cs == 0 && as == 1 && bs == 1) {
    std::memmove(d, *c ? a : b, static_cast<size_t>(n) * sizeof(T));
  } else {
    for (int64_t i = 0; i < n; ++i) d[i * ds] = c[i * cs] ? a[i * as] : b[i * bs];
  }
}

void where(void* dst, const int64_t* ds, const bool* cond, const int64_t* cs, const void* a, const int64_t* as,
           const void* b, const int64_t* bs, int64_t item, const int64_t* sizes, int ndim) {
  int64_t n[64], s[4][64];
  int nd = 0;
  const int64_t* in_strides[4] = {ds, cs, as, bs};
  for (int i = 0; i < ndim; ++i) {
    if (sizes[i] == 0) return;
    if (sizes[i] == 1) continue;
    bool merge = nd > 0;
    for (int k = 0; k < 4 && merge; ++k) merge = s[k][nd - 1] == in_strides[k][i] * sizes[i];
    int at = merge ? nd - 1 : nd++;
    n[at] = merge ? n[at] * sizes[i] : sizes[i];
    for (int k = 0; k < 4; ++k) s[k][at] = in_strides[k][i];
  }
  if (nd == 0) {
    n[0] = 1;
    for (int k = 0; k < 4; ++k) s[k][0] = 1;
    nd = 1;
  }
  int in = nd - 1;
  int64_t block = std::min<int64_t>(n[in], kGrain), blocks = (n[in] + block - 1) / block, outer = 1;
  for (int i = 0; i < in; ++i) outer *= n[i];
  visit_item(item, [&](auto t) {
    using T = decltype(t);
    parallel_for(outer * blocks, std::max<int64_t>(1, 2 * kGrain / block), [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) {
        int64_t rest = u / blocks, i0 = u % blocks * block, o[4];
        for (int k = 0; k < 4; ++k) o[k] = i0 * s[k][in];
        for (int i = in - 1; i >= 0; --i) {
          int64_t q = rest / n[i], r = rest - q * n[i];
          for (int k = 0; k < 4; ++k) o[k] += r * s[k][i];
          rest = q;
        }
        where_run(static_cast<T*>(dst) + o[0], s[0][in], reinterpret_cast<const uint8_t*>(cond) + o[1], s[1][in],
                  static_cast<const T*>(a) + o[2], s[2][in], static_cast<const T*>(b) + o[3], s[3][in],
                  std::min(block, n[in] - i0));
      }
    });
  });
}

// ---- masks

int64_t mask_blocks(int64_t n) { return (n + kMaskBlock - 1) / kMaskBlock; }

// The block's truth as bytes: x itself when it is bool, else converted into scratch.
inline const uint8_t* truth(const void* x, DType dtype, int64_t b, int64_t n, uint8_t* scratch) {
  const char* at = static_cast<const char*>(x) + b * item_size(dtype);
  if (dtype == DType::Bool) return reinterpret_cast<const uint8_t*>(at);
  convert_fns[static_cast<int>(DType::Bool)][static_cast<int>(dtype)](scratch, at, n);
  return scratch;
}

int64_t count_mask(const void* x, DType dtype, int64_t n, int64_t* counts) {
  int64_t blocks = mask_blocks(n);
  parallel_for(blocks, 4, [&](int64_t begin, int64_t end) {
    alignas(64) uint8_t scratch[kMaskBlock];
    for (int64_t u = begin; u < end; ++u) {
      int64_t b = u * kMaskBlock, m = std::min(kMaskBlock, n - b), total = 0;
      const uint8_t* c = truth(x, dtype, b, m, scratch);
      for (int64_t i = 0; i < m; i += 128) {
        int64_t e = std::min(m, i + 128);
        uint8_t part = 0;
        for (int64_t j = i; j < e; ++j) part = static_cast<uint8_t>(part + c[j]);
        total += part;
      }
      counts[u + 1] = total;
    }
  });
  counts[0] = 0;
  for (int64_t u = 0; u < blocks; ++u) counts[u + 1] += counts[u];
  return counts[blocks];
}

// d gets the items of s where c; exactly `count` of them are written.
template <class T>
inline void compress(T* d, const T* s, const uint8_t* c, int64_t n, int64_t count) {
  if (count == 0) return;
  if (count == n) {
    std::memcpy(d, s, static_cast<size_t>(n) * sizeof(T));
    return;
  }
  int64_t k = 0, i = 0;
#if defined(__AVX512F__) && defined(__AVX512BW__)
  if constexpr (sizeof(T) == 4 || sizeof(T) == 8) {
    constexpr int64_t w = 64 / static_cast<int64_t>(sizeof(T));
    for (; i + w <= n && k + w <= count; i += w) {
      __m512i v = _mm512_loadu_si512(s + i);
      if constexpr (sizeof(T) == 4) {
        __mmask16 m = _mm_test_epi8_mask(_mm_loadu_si128(reinterpret_cast<const __m128i*>(c + i)), _mm_set1_epi8(-1));
        _mm512_storeu_si512(d + k, _mm512_maskz_compress_epi32(m, v));
        k += __builtin_popcount(m);
      } else {
        __mmask8 m = static_cast<__mmask8>(
            _mm_test_epi8_mask(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(c + i)), _mm_set1_epi8(-1)));
        _mm512_storeu_si512(d + k, _mm512_maskz_compress_epi64(m, v));
        k += __builtin_popcount(m);
      }
    }
  }
#endif
  // Every item is stored, and the place moves on only when it is wanted; stopping at the last one keeps inside count.
  for (; k < count; ++i) {
    d[k] = s[i];
    k += c[i] != 0;
  }
}

void masked_select(void* dst, const void* src, int64_t item, const bool* mask, int64_t n, const int64_t* counts) {
  visit_item(item, [&](auto t) {
    using T = decltype(t);
    parallel_for(mask_blocks(n), 2, [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) {
        int64_t b = u * kMaskBlock;
        compress(static_cast<T*>(dst) + counts[u], static_cast<const T*>(src) + b,
                 reinterpret_cast<const uint8_t*>(mask) + b, std::min(kMaskBlock, n - b), counts[u + 1] - counts[u]);
      }
    });
  });
}

void masked_scatter(void* dst, const bool* mask, const void* src, int64_t item, int64_t n, const int64_t* counts) {
  visit_item(item, [&](auto t) {
    using T = decltype(t);
    parallel_for(mask_blocks(n), 2, [&](int64_t begin, int64_t end) {
      const uint8_t* c = reinterpret_cast<const uint8_t*>(mask);
      T* d = static_cast<T*>(dst);
      for (int64_t u = begin; u < end; ++u) {
        const T* s = static_cast<const T*>(src) + counts[u];
        int64_t k = 0, e = std::min(n, (u + 1) * kMaskBlock);
        for (int64_t i = u * kMaskBlock; i < e; ++i)
          if (c[i]) d[i] = s[k++];
      }
    });
  });
}

void nonzero(int64_t* out, const void* x, DType dtype, const int64_t* sizes, int ndim, const int64_t* counts) {
  int64_t n = 1;
  for (int i = 0; i < ndim; ++i) n *= sizes[i];
  if (ndim == 0) return;
  parallel_for(mask_blocks(n), 2, [&](int64_t begin, int64_t end) {
    alignas(64) uint8_t scratch[kMaskBlock];
    alignas(64) int64_t places[1024];
    alignas(64) int64_t iota[1024];
    int64_t cols = sizes[ndim - 1];
    for (int64_t u = begin; u < end; ++u) {
      int64_t b = u * kMaskBlock, m = std::min(kMaskBlock, n - b);
      if (counts[u] == counts[u + 1]) continue;
      const uint8_t* c = truth(x, dtype, b, m, scratch);
      int64_t* to = out + counts[u] * ndim;
      int64_t row_end = 0, row_begin = 0, lead[64];
      for (int64_t i0 = 0; i0 < m; i0 += 1024) {
        int64_t len = std::min<int64_t>(1024, m - i0), found = 0;
        for (int64_t i = 0; i < len; ++i) found += c[i0 + i] != 0;
        for (int64_t i = 0; i < len; ++i) iota[i] = b + i0 + i;
        if (ndim == 1) {
          compress(to, iota, c + i0, len, found);
          to += found;
          continue;
        }
        compress(places, iota, c + i0, len, found);
        for (int64_t i = 0; i < found; ++i) {
          int64_t p = places[i];
          if (p >= row_end) {
            int64_t rest = p / cols;
            row_begin = rest * cols, row_end = row_begin + cols;
            for (int d = ndim - 2; d >= 0; --d) lead[d] = rest % sizes[d], rest /= sizes[d];
          }
          for (int d = 0; d < ndim - 1; ++d) to[d] = lead[d];
          to[ndim - 1] = p - row_begin;
          to += ndim;
        }
      }
    }
  });
}

void triangle(void* dst, const void* src, int64_t item, int64_t batch, int64_t rows, int64_t cols, int64_t diagonal,
              bool upper) {
  parallel_for(batch * rows, std::max<int64_t>(1, 4 * kGrain / std::max<int64_t>(1, cols * item)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t u = begin; u < end; ++u) {
                   int64_t cut = std::clamp<int64_t>(u % rows + diagonal + (upper ? 0 : 1), 0, cols) * item;
                   int64_t all = cols * item;
                   char* d = static_cast<char*>(dst) + u * all;
                   const char* s = static_cast<const char*>(src) + u * all;
                   if (upper) {
                     std::memset(d, 0, static_cast<size_t>(cut));
                     std::memmove(d + cut, s + cut, static_cast<size_t>(all - cut));
                   } else {
                     std::memmove(d, s, static_cast<size_t>(cut));
                     std::memset(d + cut, 0, static_cast<size_t>(all - cut));
                   }
                 }
               });
}

void repeat_index(int64_t* out, const int64_t* repeats, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < repeats[i]; ++k) *out++ = i;
}

void one_hot(int64_t* out, const int64_t* index, int64_t n, int64_t classes) {
  parallel_for(n, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, classes)), [&](int64_t begin, int64_t end) {
    std::memset(out + begin * classes, 0, static_cast<size_t>((end - begin) * classes) * 8);
    for (int64_t i = begin; i < end; ++i) out[i * classes + index[i]] = 1;
  });
}

void bincount(void* out, const int64_t* index, const double* weight, int64_t n) {
  if (weight) {
    for (int64_t i = 0; i < n; ++i) static_cast<double*>(out)[index[i]] += weight[i];
  } else {
    for (int64_t i = 0; i < n; ++i) static_cast<int64_t*>(out)[index[i]] += 1;
  }
}

template <class T>
void histc_typed(T* out, const T* x, int64_t n, int64_t bins, T low, T high) {
  T width = high - low;
  for (int64_t i = 0; i < n; ++i) {
    if (!(x[i] >= low && x[i] <= high)) continue;
    int64_t at = static_cast<int64_t>((x[i] - low) / width * static_cast<T>(bins));
    out[std::min(at, bins - 1)] += 1;
  }
}

void histc(void* out, const void* x, DType dtype, int64_t n, int64_t bins, double low, double high) {
  if (dtype == DType::F64) {
    histc_typed(static_cast<double*>(out), static_cast<const double*>(x), n, bins, low, high);
  } else {
    histc_typed(static_cast<float*>(out), static_cast<const float*>(x), n, bins, static_cast<float>(low),
                static_cast<float>(high));
  }
}

}  // namespace

const IndexTable index_table = {wrap_indices, add_offsets,  gather_rows, scatter_rows,  gather,         scatter,
                                where,        mask_blocks,  count_mask,  masked_select, masked_scatter, nonzero,
                                triangle,     repeat_index, one_hot,     bincount,      histc};

}  // namespace rl::cpu::RL_ISA
