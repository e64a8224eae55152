// Every element becomes an unsigned key in the wanted order. Keys of up to 32 bits, and int64 keys that span less than
// 32 bits, share one word with their index: sorting words then sorts stably, whatever the method.
#include "kernels/sort.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "runtime/parallel.h"

namespace rl::cpu {
namespace {

// Scratch memory. Each thread keeps a few blocks for the next call; huge pages make a large fresh block several times
// cheaper to touch.
struct Block {
  void* data = nullptr;
  size_t bytes = 0;
};
struct Cache {
  Block slots[4];
  ~Cache() {
    for (Block& b : slots) std::free(b.data);
  }
};
thread_local Cache cache;

Block take_block(size_t bytes) {
  constexpr size_t kHuge = size_t{2} << 20;
  for (Block& b : cache.slots) {
    if (b.bytes >= bytes) {
      Block taken = b;
      b = Block{};
      return taken;
    }
  }
  size_t align = bytes >= 2 * kHuge ? kHuge : 4096;
  bytes = (bytes + align - 1) / align * align;
  void* data = std::aligned_alloc(align, bytes);
  if (!data) throw std::bad_alloc();
#if defined(__linux__)
  if (align == kHuge) madvise(data, bytes, MADV_HUGEPAGE);
#endif
  return {data, bytes};
}

void give_block(Block block) {
  if (block.bytes <= size_t{16} << 20) {
    for (Block& b : cache.slots)
      if (b.bytes < block.bytes) std::swap(b, block);
  }
  std::free(block.data);
}

template <class T>
class Buffer {
 public:
  explicit Buffer(int64_t n) : block_(take_block(static_cast<size_t>(n) * sizeof(T) + 64)) {}
  ~Buffer() { give_block(block_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  T* get() { return static_cast<T*>(block_.data); }

 private:
  Block block_;
};

template <int Bytes>
struct unsigned_of;
template <>
struct unsigned_of<1> {
  using type = uint8_t;
};
template <>
struct unsigned_of<2> {
  using type = uint16_t;
};
template <>
struct unsigned_of<4> {
  using type = uint32_t;
};
template <>
struct unsigned_of<8> {
  using type = uint64_t;
};

template <class T>
inline constexpr bool is_float_v =
    std::is_floating_point_v<T> || std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

template <class T>
struct Keys {
  using K = typename unsigned_of<sizeof(T)>::type;
  static constexpr int bits = 8 * sizeof(T);
  static constexpr K sign = static_cast<K>(K{1} << (bits - 1));
  static constexpr K zero = sign;                  // of both zeros
  static constexpr K nan = static_cast<K>(~K{0});  // of every NaN
  // The ascending key of the element whose bytes are u.
  static inline K of(K u) {
    if constexpr (is_float_v<T>) {
      constexpr K inf = std::is_same_v<T, Half>       ? static_cast<K>(0x7C00)
                        : std::is_same_v<T, BFloat16> ? static_cast<K>(0x7F80)
                        : sizeof(T) == 4              ? static_cast<K>(0x7F800000u)
                                                      : static_cast<K>(0x7FF0000000000000ull);
      K magnitude = static_cast<K>(u & static_cast<K>(~sign));
      K key = static_cast<K>((u & sign) ? static_cast<K>(~u) : static_cast<K>(u | sign));
      key = magnitude == 0 ? zero : key;
      return magnitude > inf ? nan : key;
    } else if constexpr (std::is_same_v<T, bool>) {
      return static_cast<K>(u != 0);
    } else if constexpr (std::is_signed_v<T>) {
      return static_cast<K>(u ^ sign);
    } else {
      return u;
    }
  }
  // The bytes back, unless several elements share the key.
  static inline bool ambiguous(K key) { return is_float_v<T> && (key == zero || key == nan); }
  static inline K back(K key) {
    if constexpr (is_float_v<T>) {
      return static_cast<K>((key & sign) ? static_cast<K>(key & static_cast<K>(~sign)) : static_cast<K>(~key));
    } else if constexpr (std::is_signed_v<T> && !std::is_same_v<T, bool>) {
      return static_cast<K>(key ^ sign);
    } else {
      return key;
    }
  }
};

struct Wide {
  uint64_t key, index;
};
inline uint64_t sort_key(uint64_t word) { return word; }
inline uint64_t sort_key(const Wide& w) { return w.key; }
struct Less {
  bool operator()(uint64_t a, uint64_t b) const { return a < b; }
  bool operator()(const Wide& a, const Wide& b) const { return a.key < b.key || (a.key == b.key && a.index < b.index); }
};

template <class E>
void insertion_sort(E* a, int64_t n) {
  for (int64_t i = 1; i < n; ++i) {
    E x = a[i];
    int64_t j = i;
    for (; j > 0 && sort_key(a[j - 1]) > sort_key(x); --j) a[j] = a[j - 1];
    a[j] = x;
  }
}

// Sorts a by the key's bits [low, high), stably, in `parts` pieces at once; b is scratch. Returns where the result is.
template <int Bits, class E>
E* radix_sort(E* a, E* b, int64_t n, int low, int high, int64_t parts, uint32_t* counts) {
  constexpr int64_t kBuckets = int64_t{1} << Bits;
  int64_t step = (n + parts - 1) / parts;
  for (int shift = low; shift < high; shift += Bits) {
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        uint32_t* c = counts + p * kBuckets;
        std::memset(c, 0, kBuckets * sizeof(uint32_t));
        for (int64_t i = p * step, e = std::min(n, i + step); i < e; ++i)
          ++c[(sort_key(a[i]) >> shift) & (kBuckets - 1)];
      }
    });
    uint64_t at = 0;
    bool single = false;
    for (int64_t k = 0; k < kBuckets; ++k) {
      uint64_t before = at;
      for (int64_t p = 0; p < parts; ++p) {
        uint32_t c = counts[p * kBuckets + k];
        counts[p * kBuckets + k] = static_cast<uint32_t>(at);
        at += c;
      }
      single |= at - before == static_cast<uint64_t>(n);
    }
    if (single) continue;
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        uint32_t* c = counts + p * kBuckets;
        for (int64_t i = p * step, e = std::min(n, i + step); i < e; ++i) {
          E x = a[i];
          b[c[(sort_key(x) >> shift) & (kBuckets - 1)]++] = x;
        }
      }
    });
    std::swap(a, b);
  }
  return a;
}

constexpr int64_t kMaxParts = 16;

template <class E>
E* sort_words(E* a, E* b, int64_t n, int low, int high, uint32_t* counts) {
  if (n <= 40) {
    insertion_sort(a, n);
    return a;
  }
  int64_t parts = 1;
  if (n >= 1 << 16 && !in_parallel_region()) parts = std::min<int64_t>(num_threads(), kMaxParts);
  if (n < 1 << 13) return radix_sort<8>(a, b, n, low, high, 1, counts);
  return radix_sort<11>(a, b, n, low, high, parts, counts);
}

// One row (or column) being sorted.
template <class T>
struct Row {
  using Key = Keys<T>;
  using K = typename Key::K;
  const char* src;
  int64_t n;
  uint64_t flip = 0;  // all ones of a key when descending
  K base = 0;         // subtracted from int64 keys in packed words

  K raw(int64_t i) const {
    K u;
    std::memcpy(&u, src + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
    return u;
  }
  K key(int64_t i) const { return static_cast<K>(Key::of(raw(i)) ^ static_cast<K>(flip)); }
  K raw_of(K k, int64_t index) const {
    K plain = static_cast<K>(k ^ static_cast<K>(flip));
    return Key::ambiguous(plain) ? raw(index) : Key::back(plain);
  }
};

template <class T>
inline uint64_t pack(const Row<T>& r, int64_t i, typename Keys<T>::K key) {
  return (static_cast<uint64_t>(static_cast<typename Keys<T>::K>(key - r.base)) << 32) | static_cast<uint64_t>(i);
}
template <class T>
inline typename Keys<T>::K key_of(const Row<T>& r, uint64_t word) {
  return static_cast<typename Keys<T>::K>(static_cast<typename Keys<T>::K>(word >> 32) + r.base);
}
template <class T>
inline typename Keys<T>::K key_of(const Row<T>&, const Wide& w) {
  return static_cast<typename Keys<T>::K>(w.key);
}
inline int64_t index_of(uint64_t word) { return static_cast<int64_t>(word & 0xFFFFFFFFu); }
inline int64_t index_of(const Wide& w) { return static_cast<int64_t>(w.index); }

inline int bit_count(uint64_t range) { return range ? 64 - __builtin_clzll(range) : 1; }

// Whether words can hold key and index together; sets base. `bits` receives the keys' span.
template <class T>
bool fits_word(Row<T>& r, int& bits) {
  bits = Keys<T>::bits;
  if (r.n > INT64_C(0x7FFFFFFF)) return false;
  if constexpr (sizeof(T) < 8) return true;
  if constexpr (!is_float_v<T>) {
    uint64_t low = ~uint64_t{0}, high = 0;
    for (int64_t i = 0; i < r.n; ++i) {
      uint64_t k = r.key(i);
      low = std::min(low, k), high = std::max(high, k);
    }
    bits = bit_count(high - low);
    if (bits > 32) {
      bits = 64;
      return false;
    }
    r.base = static_cast<typename Keys<T>::K>(low);
    return true;
  }
  return false;
}

struct Scratch {
  explicit Scratch(int64_t n, int64_t item) : a(n * item), b(n * item), counts(n < 1 << 13 ? 256 : kMaxParts * 2048) {}
  Buffer<char> a, b;
  Buffer<uint32_t> counts;
};

// Sorts the row's elements and calls take(words) with them in order (uint64_t or Wide).
template <class T, class F>
void with_sorted(Row<T>& r, Scratch& scratch, F&& take) {
  int bits;
  if (fits_word(r, bits)) {
    uint64_t* a = reinterpret_cast<uint64_t*>(scratch.a.get());
    parallel_for(r.n, 1 << 16, [&](int64_t b, int64_t e) {
      for (int64_t i = b; i < e; ++i) a[i] = pack(r, i, r.key(i));
    });
    take(sort_words(a, reinterpret_cast<uint64_t*>(scratch.b.get()), r.n, 32, 32 + bits, scratch.counts.get()));
  } else {
    Wide* a = reinterpret_cast<Wide*>(scratch.a.get());
    parallel_for(r.n, 1 << 16, [&](int64_t b, int64_t e) {
      for (int64_t i = b; i < e; ++i) a[i] = {r.key(i), static_cast<uint64_t>(i)};
    });
    take(sort_words(a, reinterpret_cast<Wide*>(scratch.b.get()), r.n, 0, bits, scratch.counts.get()));
  }
}

// Calls f(row, scratch, offset of the row's first result item / n, result stride) for each row of [outer, n, inner].
template <class T, class F>
void for_rows(const void* src, int64_t outer, int64_t n, int64_t inner, bool flip, F&& f) {
  int64_t rows = outer * inner;
  constexpr int64_t item = sizeof(T) == 8 ? 16 : 8;
  int64_t grain = rows == 1 ? 1 : std::max<int64_t>(1, 4096 / std::max<int64_t>(1, n));
  // Few long rows run one after the other, each on all threads.
  if (n >= 1 << 17 && rows < num_threads()) grain = rows;
  parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    Scratch scratch(n, item);
    // Columns are brought together first, a cache line's width at a time.
    constexpr int64_t line = 64 / static_cast<int64_t>(sizeof(T));
    Buffer<char> columns(inner > 1 ? n * line * static_cast<int64_t>(sizeof(T)) : 0);
    int64_t held = -1, held_end = -1;
    for (int64_t u = begin; u < end; ++u) {
      int64_t o = u / inner, c = u % inner;
      Row<T> r;
      r.n = n;
      r.flip = flip ? ~uint64_t{0} : 0;
      if (inner == 1) {
        r.src = static_cast<const char*>(src) + o * n * static_cast<int64_t>(sizeof(T));
      } else {
        if (u >= held_end) {
          held = u;
          held_end = std::min({end, u + line, (o + 1) * inner});
          const T* s = static_cast<const T*>(src) + o * n * inner + c;
          T* to = reinterpret_cast<T*>(columns.get());
          int64_t w = held_end - held;
          for (int64_t i = 0; i < n; ++i)
            for (int64_t k = 0; k < w; ++k) std::memcpy(to + k * n + i, s + i * inner + k, sizeof(T));
        }
        r.src = columns.get() + (u - held) * n * static_cast<int64_t>(sizeof(T));
      }
      f(r, scratch, o, c);
    }
  });
}

template <class F>
void visit_sortable(DType dtype, F&& f) {
  switch (dtype) {
    case DType::C64:
    case DType::C128: return;
    case DType::U8: return f(uint8_t{});
    case DType::I8: return f(int8_t{});
    case DType::I16: return f(int16_t{});
    case DType::I32: return f(int32_t{});
    case DType::I64: return f(int64_t{});
    case DType::F16: return f(Half{});
    case DType::F32: return f(float{});
    case DType::F64: return f(double{});
    case DType::Bool: return f(bool{});
    default: return f(BFloat16{});
  }
}

// Writes words [0, k) of a sorted row as values and indices with a stride.
template <class T, class E>
void emit(const Row<T>& r, const E* words, int64_t k, void* values, int64_t* indices, int64_t at, int64_t stride) {
  using K = typename Keys<T>::K;
  parallel_for(k, 1 << 16, [&](int64_t begin, int64_t end) {
    if (values) {
      K* v = static_cast<K*>(values) + at;
      for (int64_t i = begin; i < end; ++i) v[i * stride] = r.raw_of(key_of(r, words[i]), index_of(words[i]));
    }
    if (indices) {
      for (int64_t i = begin; i < end; ++i) indices[at + i * stride] = index_of(words[i]);
    }
  });
}

void sort_rows(void* values, int64_t* indices, const void* src, DType dtype, int64_t outer, int64_t n, int64_t inner,
               bool descending) {
  if (n == 0) return;
  visit_sortable(dtype, [&](auto t) {
    using T = decltype(t);
    for_rows<T>(src, outer, n, inner, descending, [&](Row<T>& r, Scratch& scratch, int64_t o, int64_t c) {
      with_sorted(r, scratch, [&](auto* words) { emit(r, words, n, values, indices, o * n * inner + c, inner); });
    });
  });
}

// The k least words of a row, sorted, in scratch.a. Elements beyond the k-th best so far are dropped a block at a time.
template <class T, class E, class Make>
E* least(const Row<T>& r, Scratch& scratch, int64_t k, int bits_low, int bits_high, Make&& make) {
  E* a = reinterpret_cast<E*>(scratch.a.get());
  using K = typename Keys<T>::K;
  if (k <= 16) {
    // A few: kept in order all along. A later element with the last one's key comes after it, so equal is not better.
    constexpr int64_t kStep = 32;
    K keys[kStep], bound = static_cast<K>(~K{0});
    int64_t held = 0;
    for (int64_t b = 0; b < r.n; b += kStep) {
      int64_t m = std::min(kStep, r.n - b);
      K low = static_cast<K>(~K{0});
      for (int64_t i = 0; i < m; ++i) {
        keys[i] = r.key(b + i);
        low = std::min(low, keys[i]);
      }
      if (held == k && low >= bound) continue;
      for (int64_t i = 0; i < m; ++i) {
        if (held == k && keys[i] >= bound) continue;
        E x = make(b + i, keys[i]);
        int64_t j = held < k ? held++ : k - 1;
        for (; j > 0 && Less{}(x, a[j - 1]); --j) a[j] = a[j - 1];
        a[j] = x;
        bound = key_of(r, a[held - 1]);
      }
    }
    return a;
  }
  int64_t room = std::max<int64_t>(4 * k, 192), held = 0;
  if (room > r.n) {
    for (int64_t i = 0; i < r.n; ++i) a[i] = make(i, r.key(i));
    held = r.n;
  } else {
    K bound = static_cast<K>(~K{0});
    bool bounded = false;
    constexpr int64_t kBlock = 64;
    K keys[kBlock];
    for (int64_t b = 0; b < r.n; b += kBlock) {
      int64_t m = std::min(kBlock, r.n - b);
      K low = static_cast<K>(~K{0});
      for (int64_t i = 0; i < m; ++i) {
        keys[i] = r.key(b + i);
        low = std::min(low, keys[i]);
      }
      // A later element with the bound's own key comes after those held.
      if (bounded && low >= bound) continue;
      for (int64_t i = 0; i < m; ++i) {
        if (bounded && keys[i] >= bound) continue;
        a[held++] = make(b + i, keys[i]);
      }
      if (held + kBlock > room) {
        std::nth_element(a, a + (k - 1), a + held, Less{});
        held = k;
        bound = key_of(r, a[k - 1]);
        bounded = true;
      }
    }
  }
  if (k < held && k * 4 < held * 3) {
    std::nth_element(a, a + (k - 1), a + held, Less{});
    held = k;
  }
  if (held <= 256) {
    std::sort(a, a + held, Less{});
    return a;
  }
  return sort_words(a, reinterpret_cast<E*>(scratch.b.get()), held, bits_low, bits_high, scratch.counts.get());
}

void topk(void* values, int64_t* indices, const void* src, DType dtype, int64_t outer, int64_t n, int64_t inner,
          int64_t k, bool largest) {
  if (n == 0 || k == 0) return;
  visit_sortable(dtype, [&](auto t) {
    using T = decltype(t);
    for_rows<T>(src, outer, n, inner, largest, [&](Row<T>& r, Scratch& scratch, int64_t o, int64_t c) {
      int64_t at = o * k * inner + c;
      if (sizeof(T) < 8 && n <= INT64_C(0x7FFFFFFF)) {
        uint64_t* w = least<T, uint64_t>(r, scratch, k, 32, 32 + Keys<T>::bits,
                                         [&](int64_t i, auto key) { return pack(r, i, key); });
        emit(r, w, k, values, indices, at, inner);
      } else {
        Wide* w = least<T, Wide>(r, scratch, k, 0, 64, [&](int64_t i, auto key) {
          return Wide{static_cast<uint64_t>(key), static_cast<uint64_t>(i)};
        });
        emit(r, w, k, values, indices, at, inner);
      }
    });
  });
}

template <class T>
int64_t most_frequent(Row<T>& r, Scratch& scratch) {
  int64_t best = 0;
  with_sorted(r, scratch, [&](auto* w) {
    int64_t longest = 0;
    for (int64_t i = 0; i < r.n;) {
      int64_t j = i + 1;
      auto key = key_of(r, w[i]);
      if (!(is_float_v<T> && key == Keys<T>::nan))
        while (j < r.n && key_of(r, w[j]) == key) ++j;
      if (j - i > longest) longest = j - i, best = index_of(w[j - 1]);
      i = j;
    }
  });
  return best;
}

void select(void* values, int64_t* indices, const void* src, DType dtype, int64_t outer, int64_t n, int64_t inner,
            Select what, int64_t kth) {
  visit_sortable(dtype, [&](auto t) {
    using T = decltype(t);
    using K = typename Keys<T>::K;
    for_rows<T>(src, outer, n, inner, false, [&](Row<T>& r, Scratch& scratch, int64_t o, int64_t c) {
      int64_t k = what == Select::kth ? kth : (n - 1) / 2, chosen = -1;
      if (what == Select::mode) {
        chosen = most_frequent(r, scratch);
      } else if (is_float_v<T> && what != Select::kth) {
        int64_t nans = 0, first = -1;
        for (int64_t i = 0; i < n; ++i) nans += r.key(i) == Keys<T>::nan;
        if (nans > 0) {
          while (r.key(++first) != Keys<T>::nan) {
          }
          if (what == Select::median || nans == n) chosen = first;
          k = (n - nans - 1) / 2;
        }
      }
      if (chosen < 0) {
        if (sizeof(T) < 8 && n <= INT64_C(0x7FFFFFFF)) {
          uint64_t* a = reinterpret_cast<uint64_t*>(scratch.a.get());
          for (int64_t i = 0; i < n; ++i) a[i] = pack(r, i, r.key(i));
          std::nth_element(a, a + k, a + n, Less{});
          chosen = index_of(a[k]);
        } else {
          Wide* a = reinterpret_cast<Wide*>(scratch.a.get());
          for (int64_t i = 0; i < n; ++i) a[i] = {r.key(i), static_cast<uint64_t>(i)};
          std::nth_element(a, a + k, a + n, Less{});
          chosen = index_of(a[k]);
        }
      }
      if (values) static_cast<K*>(values)[o * inner + c] = r.raw(chosen);
      if (indices) indices[o * inner + c] = chosen;
    });
  });
}

int64_t unique(void* values, int64_t* inverse, int64_t* counts, const void* src, DType dtype, int64_t n) {
  int64_t found = 0;
  if (n == 0) return 0;
  visit_sortable(dtype, [&](auto t) {
    using T = decltype(t);
    using K = typename Keys<T>::K;
    K* out = static_cast<K*>(values);
    Row<T> r;
    r.src = static_cast<const char*>(src), r.n = n;
    if constexpr (sizeof(T) == 1) {
      // 256 possible values need no sorting.
      int64_t total[256] = {}, place[256];
      for (int64_t i = 0; i < n; ++i) ++total[r.key(i)];
      for (int k = 0; k < 256; ++k) {
        place[k] = found;
        if (!total[k]) continue;
        out[found] = Keys<T>::back(static_cast<K>(k));
        if (counts) counts[found] = total[k];
        ++found;
      }
      if (inverse)
        for (int64_t i = 0; i < n; ++i) inverse[i] = place[r.key(i)];
      return;
    }
    Scratch scratch(n, sizeof(T) == 8 ? 16 : 8);
    with_sorted(r, scratch, [&](auto* w) {
      int64_t begin = 0;
      for (int64_t i = 0; i < n; ++i) {
        K key = key_of(r, w[i]);
        if (i == 0 || key != key_of(r, w[i - 1]) || (is_float_v<T> && key == Keys<T>::nan)) {
          if (counts && found > 0) counts[found - 1] = i - begin;
          begin = i;
          out[found++] = r.raw_of(key, index_of(w[i]));
        }
        if (inverse) inverse[index_of(w[i])] = found - 1;
      }
      if (counts) counts[found - 1] = n - begin;
    });
  });
  return found;
}

int64_t unique_consecutive(void* values, int64_t* inverse, int64_t* counts, const void* src, DType dtype, int64_t n) {
  int64_t found = 0;
  visit_sortable(dtype, [&](auto t) {
    using T = decltype(t);
    using K = typename Keys<T>::K;
    Row<T> r;
    r.src = static_cast<const char*>(src), r.n = n;
    int64_t begin = 0;
    K last = 0;
    for (int64_t i = 0; i < n; ++i) {
      K key = r.key(i);
      if (i == 0 || key != last || (is_float_v<T> && key == Keys<T>::nan)) {
        if (counts && found > 0) counts[found - 1] = i - begin;
        begin = i;
        static_cast<K*>(values)[found++] = r.raw(i);
      }
      last = key;
      if (inverse) inverse[i] = found - 1;
    }
    if (counts && found > 0) counts[found - 1] = n - begin;
  });
  return found;
}

}  // namespace

const SortTable sort_table = {sort_rows, topk, select, unique, unique_consecutive};

}  // namespace rl::cpu
