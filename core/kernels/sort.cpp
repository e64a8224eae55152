// Every element becomes an unsigned key in the wanted order. Keys of up to 32 bits share one word with their index: sorting
// words then sorts stably, whatever the method. So do longer keys that span no more, and the first 32 bits of others.
#include "kernels/sort.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
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

template <class E>
void count_digits(const E* a, int64_t n, int shift, uint64_t mask, uint32_t* counts) {
  std::fill_n(counts, mask + 1, 0u);
  for (int64_t i = 0; i < n; ++i) ++counts[(sort_key(a[i]) >> shift) & mask];
}
template <class E>
void spread_digits(const E* a, int64_t n, int shift, uint64_t mask, uint32_t* places, E* to) {
  for (int64_t i = 0; i < n; ++i) {
    const E x = a[i];
    to[places[(sort_key(x) >> shift) & mask]++] = x;
  }
}

// Sorts a by the key's bits [low, high), stably, in `parts` pieces at once; b is scratch. Returns where the result is.
template <class E>
E* radix_sort(E* a, E* b, int64_t n, int low, int high, int digit, int64_t parts, uint32_t* counts) {
  const int64_t buckets = int64_t{1} << digit, step = (n + parts - 1) / parts;
  for (int shift = low; shift < high; shift += digit) {
    auto each_part = [&](auto&& f) {
      parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p)
          f(a + p * step, std::clamp<int64_t>(n - p * step, 0, step), counts + p * buckets);
      });
    };
    each_part([&](const E* from, int64_t m, uint32_t* c) { count_digits(from, m, shift, buckets - 1, c); });
    uint32_t at = 0;
    bool single = false;
    for (int64_t k = 0; k < buckets; ++k) {
      const uint32_t before = at;
      at += std::exchange(counts[k], at);
      for (int64_t p = 1; p < parts; ++p) at += std::exchange(counts[p * buckets + k], at);
      single |= at - before == n;
    }
    if (single) continue;
    each_part([&](const E* from, int64_t m, uint32_t* c) { spread_digits(from, m, shift, buckets - 1, c, b); });
    std::swap(a, b);
  }
  return a;
}

constexpr int64_t kMaxParts = 16;
constexpr int kMaxDigit = 11;

template <class E>
E* sort_words(E* a, E* b, int64_t n, int low, int high, uint32_t* counts) {
  if (n <= 40) {
    insertion_sort(a, n);
    return a;
  }
  int64_t parts = 1;
  if (n >= 1 << 16 && !in_parallel_region()) parts = std::min<int64_t>(num_threads(), kMaxParts);
  // As few passes as digits of a good size allow, of equal digits.
  const int most = n < 512 ? 8 : n < 1 << 13 ? 9 : kMaxDigit;
  const int passes = (high - low + most - 1) / most;
  return radix_sort(a, b, n, low, high, (high - low + passes - 1) / passes, parts, counts);
}

// One row (or column) being sorted.
template <class T>
struct Row {
  using Key = Keys<T>;
  using K = typename Key::K;
  const char* src;
  int64_t n;
  uint64_t flip = 0;  // all ones of a key when descending
  K base = 0;         // what the keys in words are less,
  int cut = 0;        // and how many of their last bits these lack

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
inline uint64_t pack(const Row<T>& r, int64_t i) {
  using K = typename Keys<T>::K;
  return static_cast<uint64_t>(static_cast<K>(static_cast<K>(r.key(i) - r.base) >> r.cut)) << 32 |
         static_cast<uint64_t>(i);
}
inline int64_t index_of(uint64_t word) { return static_cast<int64_t>(word & 0xFFFFFFFFu); }
inline int64_t index_of(const Wide& w) { return static_cast<int64_t>(w.index); }
template <class T>
inline typename Keys<T>::K key_of(const Row<T>& r, uint64_t word) {
  using K = typename Keys<T>::K;
  return r.cut ? r.key(index_of(word)) : static_cast<K>(static_cast<K>(word >> 32) + r.base);
}
template <class T>
inline typename Keys<T>::K key_of(const Row<T>&, const Wide& w) {
  return static_cast<typename Keys<T>::K>(w.key);
}

inline int bit_count(uint64_t range) { return range ? 64 - __builtin_clzll(range) : 1; }

// Sets what words need to hold key and index together, and returns how many bits of them say the order: all that is not
// the same in every key, or where these are too many the first 32.
template <class T>
int fit_words(Row<T>& r) {
  using K = typename Keys<T>::K;
  if constexpr (sizeof(T) <= 2) return Keys<T>::bits;
  K low = static_cast<K>(~K{0}), high = 0;
  if constexpr (sizeof(T) == 4) {
    int32_t found[2];
    cpu::order().span32(r.src, r.n, is_float_v<T>, r.flip != 0, found);
    low = found[0] ^ Keys<T>::sign, high = found[1] ^ Keys<T>::sign;
  } else {
    for (int64_t i = 0; i < r.n; ++i) {
      const K k = r.key(i);
      low = std::min(low, k), high = std::max(high, k);
    }
  }
  r.base = low;
  const int bits = bit_count(high - low);
  r.cut = std::max(bits - 32, 0);
  return bits - r.cut;
}

// Words whose keys were cut stand in the order of what was left: puts those that have the same of it in theirs.
template <class T>
void order_cut(const Row<T>& r, uint64_t* words, Wide* scratch) {
  for (int64_t begin = 0, end; begin < r.n; begin = end) {
    for (end = begin + 1; end < r.n && words[end] >> 32 == words[begin] >> 32;) ++end;
    const int64_t m = end - begin;
    if (m == 1) continue;
    for (int64_t i = 0; i < m; ++i) {
      const int64_t index = index_of(words[begin + i]);
      scratch[i] = {r.key(index), static_cast<uint64_t>(index)};
    }
    std::sort(scratch, scratch + m, Less{});
    for (int64_t i = 0; i < m; ++i) words[begin + i] = words[begin] >> 32 << 32 | scratch[i].index;
  }
}

struct Scratch {
  explicit Scratch(int64_t n, int64_t item)
      : a(n * item), b(n * item), counts(n < 1 << 13 ? 512 : kMaxParts << kMaxDigit) {}
  Buffer<char> a, b;
  Buffer<uint32_t> counts;
};

// Sorts the row's elements and calls take(words) with them in order (uint64_t or Wide).
template <class T, class F>
void with_sorted(Row<T>& r, Scratch& scratch, F&& take) {
  if (r.n <= INT64_C(0x7FFFFFFF)) {
    uint64_t *a = reinterpret_cast<uint64_t*>(scratch.a.get()), *b = reinterpret_cast<uint64_t*>(scratch.b.get());
    const int bits = fit_words(r);
    parallel_for(r.n, 1 << 16, [&](int64_t begin, int64_t end) {
      if constexpr (sizeof(T) == 4)
        cpu::order().words32(r.src, begin, end, is_float_v<T>, r.flip != 0,
                             static_cast<int32_t>(r.base ^ Keys<T>::sign), a);
      else
        for (int64_t i = begin; i < end; ++i) a[i] = pack(r, i);
    });
    uint64_t* sorted = sort_words(a, b, r.n, 32, 32 + bits, scratch.counts.get());
    if constexpr (sizeof(T) == 8)
      if (r.cut) order_cut(r, sorted, reinterpret_cast<Wide*>(sorted == a ? b : a));
    take(sorted);
  } else {
    Wide *a = reinterpret_cast<Wide*>(scratch.a.get()), *b = reinterpret_cast<Wide*>(scratch.b.get());
    parallel_for(r.n, 1 << 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) a[i] = {r.key(i), static_cast<uint64_t>(i)};
    });
    take(sort_words(a, b, r.n, 0, Keys<T>::bits, scratch.counts.get()));
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
    const Row<T> row = r;
    const int64_t step = stride;
    if (values) {
      K* v = static_cast<K*>(values) + at;
      for (int64_t i = begin; i < end; ++i) v[i * step] = row.raw_of(key_of(row, words[i]), index_of(words[i]));
    }
    if (indices) {
      int64_t* x = indices + at;
      for (int64_t i = begin; i < end; ++i) x[i * step] = index_of(words[i]);
    }
  });
}

// --- short rows ----------------------------------------------------------------------------------------------------------

constexpr int64_t kLongestSide = 256;

// Whether the places of all elements at once, many rows side by side, cost less than a row after the other.
bool worth_ranking(int64_t n, int64_t rows, int64_t lanes) {
  if (n > kLongestSide) return false;
  const int64_t at_once = std::min(rows, lanes);
  return n * n * cpu::order().registers <= 20 * at_once * (85 + n);
}

// What the kernel takes for an element: its value, or the bits of a float that orders as it does.
template <class Lane, class T>
inline Lane lane_of(T x) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    return std::bit_cast<Lane>(static_cast<float>(x));
  else if constexpr (is_float_v<T>)
    return std::bit_cast<Lane>(x);
  else
    return static_cast<Lane>(x);
}

template <class T>
void sort_side_by_side(T* values, int64_t* indices, const T* src, int64_t outer, int64_t n, int64_t inner,
                       bool descending) {
  using Lane = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  constexpr int64_t kLanes = 64 / static_cast<int64_t>(sizeof(Lane));
  const auto ranks = sizeof(T) == 8 ? cpu::order().ranks64 : cpu::order().ranks32;
  // Rows next to each other: whole ones, or columns of one block.
  const int64_t across = inner == 1 ? outer : inner, blocks = inner == 1 ? 1 : outer;
  const int64_t batches = (across + kLanes - 1) / kLanes;
  const int64_t element = inner == 1 ? 1 : inner, row = inner == 1 ? n : 1;
  parallel_for(blocks * batches, std::max<int64_t>(1, 8192 / (n * kLanes)), [&](int64_t begin, int64_t end) {
    alignas(64) Lane elements[kLongestSide * kLanes], places[kLongestSide * kLanes];
    for (int64_t u = begin; u < end; ++u) {
      const int64_t first = u % batches * kLanes, held = std::min(kLanes, across - first);
      const int64_t at = u / batches * n * inner + first * row;
      const T* from = src + at;
      if (held < kLanes) std::fill_n(elements, n * kLanes, Lane{0});
      if (inner == 1) {
        for (int64_t l = 0; l < held; ++l)
          for (int64_t i = 0; i < n; ++i) elements[i * kLanes + l] = lane_of<Lane>(from[l * n + i]);
      } else {
        for (int64_t i = 0; i < n; ++i)
          for (int64_t l = 0; l < held; ++l) elements[i * kLanes + l] = lane_of<Lane>(from[i * inner + l]);
      }
      ranks(elements, places, n, is_float_v<T>, descending);
      T* v = values ? values + at : nullptr;
      int64_t* x = indices ? indices + at : nullptr;
      for (int64_t l = 0; l < held; ++l) {
        for (int64_t i = 0; i < n; ++i) {
          const int64_t to = l * row + places[i * kLanes + l] * element;
          if (x) x[to] = i;
          if (v) v[to] = from[l * row + i * element];
        }
      }
    }
  });
}

void sort_rows(void* values, int64_t* indices, const void* src, DType dtype, int64_t outer, int64_t n, int64_t inner,
               bool descending) {
  if (n == 0) return;
  visit_sortable(dtype, [&](auto t) {
    using T = decltype(t);
    if (worth_ranking(n, inner == 1 ? outer : inner, sizeof(T) == 8 ? 8 : 16))
      return sort_side_by_side(static_cast<T*>(values), indices, static_cast<const T*>(src), outer, n, inner,
                               descending);
    for_rows<T>(src, outer, n, inner, descending, [&](Row<T>& r, Scratch& scratch, int64_t o, int64_t c) {
      with_sorted(r, scratch, [&](auto* words) { emit(r, words, n, values, indices, o * n * inner + c, inner); });
    });
  });
}

// Where from i on some of the next kCandidates elements have a key below that of the bound, and which.
template <class T>
int64_t next_candidates(const Row<T>& r, int64_t i, typename Keys<T>::K bound, uint8_t* hits) {
  if constexpr (sizeof(T) >= 4) {
    using I = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
    const auto run = sizeof(T) == 8 ? cpu::order().candidates64 : cpu::order().candidates32;
    i += run(r.src + i * static_cast<int64_t>(sizeof(T)), r.n - i, static_cast<I>(bound ^ Keys<T>::sign), is_float_v<T>,
             r.flip != 0, hits);
    if (i + kCandidates <= r.n) return i;
  }
  for (; i < r.n; i += kCandidates) {
    const int64_t m = std::min(kCandidates, r.n - i);
    std::memset(hits, 0, kCandidates);
    uint8_t any = 0;
    for (int64_t k = 0; k < m; ++k) any |= hits[k] = r.key(i + k) < bound;
    if (any) break;
  }
  return i;
}

// The k least words of a row, sorted, in scratch.a. Elements beyond the k-th best so far are dropped a block at a time.
template <class T, class E, class Make>
E* least(const Row<T>& r, Scratch& scratch, int64_t k, Make&& make) {
  E* a = reinterpret_cast<E*>(scratch.a.get());
  // A few are kept in order all along; of more, whenever the room is full, all but the k least are dropped.
  const bool few = k <= 16;
  const int64_t room = few ? k : std::max<int64_t>(4 * k, 192);
  int64_t held = std::min(room, r.n), at = held;
  for (int64_t i = 0; i < held; ++i) a[i] = make(i, r.key(i));
  if (few) {
    insertion_sort(a, held);
  } else if (at < r.n) {
    std::nth_element(a, a + (k - 1), a + held, Less{});
    held = k;
  }
  // A later element with the key of the k-th best comes after it. Those of a block are taken from its end: where they
  // rise, the first of them are the ones to stay.
  for (uint8_t hits[kCandidates]; at < r.n; at += kCandidates) {
    at = next_candidates(r, at, key_of(r, a[k - 1]), hits);
    if (at >= r.n) break;
    for (int64_t g = kCandidates; (g -= 8) >= 0;) {
      uint64_t some;
      for (std::memcpy(&some, hits + g, 8); some;) {
        const int64_t bit = 63 - std::countl_zero(some), i = at + g + bit / 8;
        some ^= uint64_t{1} << bit;
        const E x = make(i, r.key(i));
        if (!few) {
          a[held++] = x;
        } else if (Less{}(x, a[k - 1])) {
          int64_t j = k - 1;
          for (; j > 0 && Less{}(x, a[j - 1]); --j) a[j] = a[j - 1];
          a[j] = x;
        }
      }
    }
    if (held + kCandidates > room && !few) {
      std::nth_element(a, a + (k - 1), a + held, Less{});
      held = k;
    }
  }
  if (few) return a;
  if (k < held && k * 4 < held * 3) {
    std::nth_element(a, a + (k - 1), a + held, Less{});
    held = k;
  }
  if constexpr (std::is_same_v<E, uint64_t>) {
    // By index first: what was dropped has mixed them.
    if (held > 256) {
      E* b = reinterpret_cast<E*>(scratch.b.get());
      E* by_index = sort_words(a, b, held, 0, bit_count(static_cast<uint64_t>(r.n)), scratch.counts.get());
      return sort_words(by_index, by_index == a ? b : a, held, 32, 32 + Keys<T>::bits, scratch.counts.get());
    }
  }
  std::sort(a, a + held, Less{});
  return a;
}

void topk(void* values, int64_t* indices, const void* src, DType dtype, int64_t outer, int64_t n, int64_t inner,
          int64_t k, bool largest) {
  if (n == 0 || k == 0) return;
  visit_sortable(dtype, [&](auto t) {
    using T = std::conditional_t<std::is_same_v<decltype(t), bool>, uint8_t, decltype(t)>;
    for_rows<T>(src, outer, n, inner, largest, [&](Row<T>& r, Scratch& scratch, int64_t o, int64_t c) {
      int64_t at = o * k * inner + c;
      if (sizeof(T) < 8 && n <= INT64_C(0x7FFFFFFF)) {
        uint64_t* w = least<T, uint64_t>(r, scratch, k, [&](int64_t i, auto) { return pack(r, i); });
        emit(r, w, k, values, indices, at, inner);
      } else {
        Wide* w = least<T, Wide>(r, scratch, k, [&](int64_t i, auto key) {
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
          for (int64_t i = 0; i < n; ++i) a[i] = pack(r, i);
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
    if (!counts) {
      // Every element is put behind the last distinct one, and the first of a run stays there.
      K* __restrict to = static_cast<K*>(values);
      int64_t count = 0;
      auto run = [&](auto at) {
        auto before = at(0);
        for (int64_t i = 0; i < n; ++i) {
          const auto v = at(i);
          to[count] = r.raw(i);
          count += (i == 0) | !(v == before);
          if (inverse) inverse[i] = count - 1;
          before = v;
        }
      };
      if (n > 0) {
        if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
          run([x = static_cast<const T*>(src)](int64_t i) { return static_cast<float>(x[i]); });
        else
          run([x = static_cast<const T*>(src)](int64_t i) { return x[i]; });
      }
      found = count;
      return;
    }
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
