// The walk of every reduction, over Reducers.
#include "kernels/cpu/reduce_driver.h"

namespace rl::cpu::RL_ISA {
namespace {

// Reduces what is not worth loops of its own, as another dtype: pieces are converted and reduced while they are in cache.
class Converting final : public Reducer {
 public:
  Converting(const Reducer& wide, ConvertFn convert, int64_t item)
      : Reducer(wide.lanes, item, wide.state_size), wide_(wide), convert_(convert) {}

  void empty(void* state) const override { wide_.empty(state); }
  void row(const char* p, int64_t n, void* state) const override {
    alignas(64) char piece[kPieceBytes];
    alignas(16) char more[kStateBytes];
    const int64_t capacity = kPieceBytes / wide_.in_size;
    for (int64_t i = 0; i < n; i += capacity) {
      const int64_t count = at_most(capacity, n - i);
      convert_(piece, p + i * in_size, count);
      wide_.row(piece, count, i == 0 && count == n ? state : more);
      if (count < n) wide_.join(state, more, 1, 1, i, i == 0);
    }
  }
  void rows(const char* p, int64_t count, int64_t n, int64_t stride, void* states) const override {
    alignas(64) char piece[kPieceBytes];
    const int64_t capacity = kPieceBytes / wide_.in_size / n;  // rows
    char* to = static_cast<char*>(states);
    if (capacity < 2) {
      for (int64_t i = 0; i < count; ++i) row(p + i * stride * in_size, n, to + i * state_size);
      return;
    }
    for (int64_t i = 0; i < count; i += capacity) {
      const int64_t taken = at_most(capacity, count - i);
      convert_rows(piece, p + i * stride * in_size, taken, n, stride);
      wide_.rows(piece, taken, n, n, to + i * state_size);
    }
  }
  void cols(const char* p, int64_t n, int64_t stride, int64_t width, void* states) const override {
    alignas(64) char piece[kPieceBytes];
    alignas(64) char more[kPieceColumns * kStateBytes];
    const int64_t rows = kPieceBytes / kPieceColumns / wide_.in_size;
    for (int64_t c = 0; c < width; c += kPieceColumns) {
      // A last piece narrower than a pack reaches back over its neighbour.
      const int64_t from = at_most(c, width - lanes), taken = at_most(kPieceColumns, width - from);
      char* to = static_cast<char*>(states) + from * state_size;
      for (int64_t r = 0; r < n; r += rows) {
        const int64_t count = at_most(rows, n - r);
        convert_rows(piece, p + (r * stride + from) * in_size, count, taken, stride);
        wide_.cols(piece, count, taken, taken, n <= rows ? to : more);
        if (n > rows) wide_.join(to, more, taken, 1, r, r == 0);
      }
    }
  }
  void join(void* states, const void* more, int64_t count, int64_t scale, int64_t offset, bool first) const override {
    wide_.join(states, more, count, scale, offset, first);
  }
  void store(int64_t output, const void* states, int64_t count) const override { wide_.store(output, states, count); }

 private:
  static constexpr int64_t kPieceBytes = 16384, kPieceColumns = 256;

  void convert_rows(char* to, const char* from, int64_t count, int64_t n, int64_t stride) const {
    if (stride == n || count == 1) return convert_(to, from, count * n);
    for (int64_t i = 0; i < count; ++i) convert_(to + i * n * wide_.in_size, from + i * stride * in_size, n);
  }

  const Reducer& wide_;
  ConvertFn convert_;
};

inline void copy_items(char* to, const char* from, int64_t count, int64_t to_stride, int64_t from_stride,
                       int64_t size) {
  auto copy = [&](auto item) {
    for (int64_t i = 0; i < count; ++i) std::memcpy(to + i * to_stride, from + i * from_stride, sizeof(item));
  };
  if (size == 1)
    copy(char{});
  else if (size == 2)
    copy(int16_t{});
  else if (size == 4)
    copy(int32_t{});
  else if (size == 8)
    copy(int64_t{});
  else
    copy(Complex128{});
}

// to[k * to_stride + c] = from[c * from_stride + k] for 4-byte items, count rows of n >= 4: tiles of 4 x 4, the last of a
// row reaching back over its neighbour.
inline void transpose_words(char* to, const char* from, int64_t count, int64_t n, int64_t to_stride,
                            int64_t from_stride) {
  typedef int32_t V __attribute__((vector_size(16)));
  for (int64_t c = 0; c < count; c += 4) {
    for (int64_t k = 0; k < n; k += 4) {
      if (k > n - 4) k = n - 4;
      V a[4];
      for (int j = 0; j < 4; ++j) std::memcpy(&a[j], from + ((c + j) * from_stride + k) * 4, 16);
      const V b0 = __builtin_shufflevector(a[0], a[2], 0, 4, 1, 5),
              b1 = __builtin_shufflevector(a[0], a[2], 2, 6, 3, 7);
      const V b2 = __builtin_shufflevector(a[1], a[3], 0, 4, 1, 5),
              b3 = __builtin_shufflevector(a[1], a[3], 2, 6, 3, 7);
      const V t[4] = {__builtin_shufflevector(b0, b2, 0, 4, 1, 5), __builtin_shufflevector(b0, b2, 2, 6, 3, 7),
                      __builtin_shufflevector(b1, b3, 0, 4, 1, 5), __builtin_shufflevector(b1, b3, 2, 6, 3, 7)};
      for (int j = 0; j < 4; ++j) std::memcpy(to + ((k + j) * to_stride + c) * 4, &t[j], 16);
    }
  }
}

class ReduceWalk {
 public:
  ReduceWalk(const Reducer& reducer, const void* x, const ReduceShape& shape)
      : r_(reducer), x_(static_cast<const char*>(x)), s_(shape) {}

  void run() {
    if (s_.outer <= 0 || s_.inner <= 0) return;
    if (s_.n <= 0) {
      alignas(16) char state[kStateBytes];
      r_.empty(state);
      for (int64_t i = 0; i < s_.outer * s_.inner; ++i) r_.store(i, state, 1);
      return;
    }
    if (s_.inner == 1 && s_.outer > 1 && s_.outer_stride == 1 && s_.n_stride != 1) {
      s_ = {1, s_.n, s_.outer, 0, s_.n_stride, 1};
    }
    if (s_.inner == 1) s_.inner_stride = 1;
    if (s_.inner_stride == 1 && s_.inner >= r_.lanes) return by_columns();
    if (s_.inner > 1 && s_.inner_stride == 1 && s_.n_stride == s_.inner && s_.n >= 2 * kFlatRows)
      return by_flat_columns();
    if (s_.outer * s_.inner >= 2 * r_.lanes && s_.n < 32) return by_gathered_columns();
    by_rows();
  }

 private:
  const char* at(int64_t output) const {
    return x_ + (output / s_.inner * s_.outer_stride + output % s_.inner * s_.inner_stride) * r_.in_size;
  }

  void row_piece(const char* p, int64_t begin, int64_t end, char* state) const {
    alignas(16) char piece[kStateBytes];
    if (s_.n_stride == 1 || end - begin == 1) {
      if (begin == 0) return r_.row(p, end, state);
      r_.row(p + begin * s_.n_stride * r_.in_size, end - begin, piece);
      return r_.join(state, piece, 1, 1, begin, true);
    }
    alignas(64) char buffer[kGatherBytes];
    const int64_t capacity = kGatherBytes / r_.in_size;
    for (int64_t i = begin; i < end; i += capacity) {
      int64_t count = at_most(capacity, end - i);
      copy_items(buffer, p + i * s_.n_stride * r_.in_size, count, r_.in_size, s_.n_stride * r_.in_size, r_.in_size);
      r_.row(buffer, count, piece);
      r_.join(state, piece, 1, 1, i, i == begin);
    }
  }

  void by_rows() {
    const int64_t outputs = s_.outer * s_.inner, chunk = task_elements(outputs * s_.n);
    if (s_.n < 2 * chunk) {
      parallel_for(outputs, at_least(1, chunk / s_.n), [&](int64_t begin, int64_t end) {
        alignas(16) char states[kBatch * kStateBytes];
        for (int64_t o = begin; o < end; o += kBatch) {
          const int64_t count = at_most(kBatch, end - o);
          if (s_.n_stride == 1 && s_.inner == 1)
            r_.rows(at(o), count, s_.n, s_.outer_stride, states);
          else
            for (int64_t i = 0; i < count; ++i) row_piece(at(o + i), 0, s_.n, states + i * r_.state_size);
          r_.store(o, states, count);
        }
      });
      return;
    }
    const int64_t pieces = ceil_div(s_.n, chunk), size = r_.state_size;
    Scratch<char> partial(outputs * pieces * size);
    parallel_for(outputs * pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        int64_t from = t % pieces * chunk;
        row_piece(at(t / pieces), from, at_most(from + chunk, s_.n), partial + t * size);
      }
    });
    for (int64_t o = 0; o < outputs; ++o) {
      char* first = partial + o * pieces * size;
      for (int64_t k = 1; k < pieces; ++k) r_.join(first, first + k * size, 1, 1, 0, false);
      r_.store(o, first, 1);
    }
  }

  void by_columns() {
    const int64_t stripes = ceil_div(s_.inner, kMaxWidth), size = r_.state_size;
    const int64_t width = ceil_div(ceil_div(s_.inner, stripes), r_.lanes) * r_.lanes;
    const int64_t chunk = task_elements(s_.outer * s_.n * s_.inner);
    const bool many = s_.outer * stripes >= 32 && s_.n < (int64_t{1} << 30);
    const int64_t rows = many ? s_.n : at_least(64, chunk / at_most(width, s_.inner));
    const int64_t pieces = ceil_div(s_.n, rows);
    Scratch<char> partial(pieces > 1 ? s_.outer * pieces * s_.inner * size : 0);
    const int64_t grain = pieces > 1 ? 1 : at_least(1, chunk / (s_.n * at_most(width, s_.inner)));
    parallel_for(s_.outer * stripes * pieces, grain, [&](int64_t begin, int64_t end) {
      alignas(64) char states[(kMaxWidth + kMaxLanes) * kStateBytes];
      for (int64_t t = begin; t < end; ++t) {
        const int64_t stripe = t % stripes, piece = t / stripes % pieces, o = t / stripes / pieces,
                      first = piece * rows;
        const int64_t from = stripe * width, to = at_most(from + width, s_.inner);
        // A last stripe narrower than a pack reaches back over columns that belong to the stripe before.
        const int64_t start = at_most(from, s_.inner - r_.lanes);
        r_.cols(x_ + (o * s_.outer_stride + first * s_.n_stride + start) * r_.in_size, at_most(rows, s_.n - first),
                s_.n_stride, to - start, states);
        const char* own = states + (from - start) * size;
        if (pieces == 1)
          r_.store(o * s_.inner + from, own, to - from);
        else
          r_.join(partial + ((o * pieces + piece) * s_.inner + from) * size, own, to - from, 1, first, true);
      }
    });
    if (pieces > 1) join_pieces(partial, pieces);
  }

  // Few columns: kFlatRows rows are one wide row, whose columns are joined at the end.
  void by_flat_columns() {
    const int64_t width = kFlatRows * s_.inner, wide_rows = s_.n / kFlatRows, size = r_.state_size;
    const int64_t rows = at_least(16, task_elements(s_.outer * s_.n * s_.inner) / width);
    const int64_t pieces = ceil_div(wide_rows, rows);
    Scratch<char> partial(s_.outer * pieces * s_.inner * size);
    parallel_for(s_.outer * pieces, at_least(1, rows / wide_rows), [&](int64_t begin, int64_t end) {
      alignas(64) char states[(kFlatRows + 1) * kMaxLanes * kStateBytes];
      for (int64_t t = begin; t < end; ++t) {
        const int64_t piece = t % pieces, first = piece * rows, count = at_most(rows, wide_rows - first);
        const char* base = x_ + t / pieces * s_.outer_stride * r_.in_size;
        r_.cols(base + first * width * r_.in_size, count, width, width, states);
        char* out = partial + t * s_.inner * size;
        for (int64_t k = 0; k < kFlatRows; ++k) {
          r_.join(out, states + k * s_.inner * size, s_.inner, kFlatRows, first * kFlatRows + k, k == 0);
        }
        if (piece + 1 < pieces) continue;
        for (int64_t row = wide_rows * kFlatRows; row < s_.n; ++row) {
          for (int64_t i = 0; i < s_.inner; ++i) {
            r_.row(base + (row * s_.n_stride + i) * r_.in_size, 1, states);
            r_.join(out + i * size, states, 1, 1, row, false);
          }
        }
      }
    });
    join_pieces(partial, pieces);
  }

  void join_pieces(char* partial, int64_t pieces) {
    const int64_t line = s_.inner * r_.state_size;
    for (int64_t o = 0; o < s_.outer; ++o) {
      char* first = partial + o * pieces * line;
      for (int64_t k = 1; k < pieces; ++k) r_.join(first, first + k * line, s_.inner, 1, 0, false);
      r_.store(o * s_.inner, first, s_.inner);
    }
  }

  // Many short rows: a group of them is gathered so that each becomes a column.
  void by_gathered_columns() {
    const int64_t outputs = s_.outer * s_.inner, size = r_.in_size;
    const int64_t group = size == 16 ? 4 * r_.lanes : 8 * r_.lanes;
    parallel_for(ceil_div(outputs, group), at_least(1, 32768 / (group * s_.n)), [&](int64_t begin, int64_t end) {
      alignas(64) char buffer[32 * 8 * kMaxLanes * 8];
      alignas(64) char states[8 * kMaxLanes * kStateBytes];
      for (int64_t g = begin; g < end; ++g) {
        const int64_t first = g * group, count = at_most(group, outputs - first);
        if (s_.inner == 1 && s_.n_stride == 1 && size == 4 && s_.n >= 4 && count % 4 == 0) {
          transpose_words(buffer, at(first), count, s_.n, group, s_.outer_stride);
        } else if (s_.inner == 1) {
          for (int64_t k = 0; k < s_.n; ++k) {
            copy_items(buffer + k * group * size, at(first) + k * s_.n_stride * size, count, size,
                       s_.outer_stride * size, size);
          }
        } else {
          for (int64_t c = 0; c < count; ++c) {
            copy_items(buffer + c * size, at(first + c), s_.n, group * size, s_.n_stride * size, size);
          }
        }
        for (int64_t c = count; c < r_.lanes; ++c)
          copy_items(buffer + c * size, buffer, s_.n, group * size, group * size, size);
        r_.cols(buffer, s_.n, group, at_least(count, r_.lanes), states);
        r_.store(first, states, count);
      }
    });
  }

  const Reducer& r_;
  const char* x_;
  ReduceShape s_;
};

template <class T> void to_float(void* to, const void* from, int64_t n) {
  float* t = static_cast<float*>(to);
  const T* f = static_cast<const T*>(from);
  int64_t i = 0;
  for (; i + kLanes<float> <= n; i += kLanes<float>) store(t + i, load<float>(f + i));
#pragma GCC unroll 1
  for (; i < n; ++i) t[i] = widen<float>(f[i]);
}

}  // namespace

void reduce_with(const Reducer& reducer, ConvertFn convert, int64_t item, const void* x, const ReduceShape& shape) {
  if (convert == nullptr) return ReduceWalk(reducer, x, shape).run();
  ReduceWalk(Converting(reducer, convert, item), x, shape).run();
}

void halves_to_float(void* to, const void* from, int64_t n) { to_float<Half>(to, from, n); }
void bfloats_to_float(void* to, const void* from, int64_t n) { to_float<BFloat16>(to, from, n); }

}  // namespace rl::cpu::RL_ISA
