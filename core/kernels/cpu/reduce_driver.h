// Walks [outer, n, inner] for a reducer. A reducer R has
//   In, State; static constexpr int kLanes
//   State empty() const                                     the result of nothing
//   State row(const In* p, int64_t n) const                 n >= 1 contiguous elements
//   void rows(const In* p, int64_t count, int64_t n, int64_t stride, State* out) const; kBlock
//                                                           optional: many rows of n <= kBlock elements
//   void cols(const In* p, int64_t n, int64_t stride, int64_t width, State* out) const
//                                                           kLanes <= width <= kMaxWidth columns, n >= 1 rows
//   State join(State a, State b) const
//   State place(State s, int64_t scale, int64_t offset)     index i becomes i * scale + offset (arg reductions)
// Work is cut by shape alone and pieces are joined in order, so results do not depend on the number of threads.
// The walk itself (reduce_walk.cpp) is compiled once: it sees reducers through the virtual functions of Reducer, many outputs at a time.
#pragma once

#include "kernels/cpu/convert.h"
#include "kernels/cpu/pack.h"
#include "kernels/reduce.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {

// Pointers are to In (input) and State (states); sizes in bytes.
class Reducer {
 public:
  Reducer(int64_t lanes, int64_t in_size, int64_t state_size)
      : lanes(lanes), in_size(in_size), state_size(state_size) {}
  const int64_t lanes, in_size, state_size;

  virtual void empty(void* state) const = 0;
  virtual void row(const char* p, int64_t n, void* state) const = 0;
  virtual void rows(const char* p, int64_t count, int64_t n, int64_t stride, void* states) const = 0;
  virtual void cols(const char* p, int64_t n, int64_t stride, int64_t width, void* states) const = 0;
  // states[i] = join(states[i], place(more[i], scale, offset)), or just the placed state if `first`.
  virtual void join(void* states, const void* more, int64_t count, int64_t scale, int64_t offset, bool first) const = 0;
  virtual void store(int64_t output, const void* states, int64_t count) const = 0;

 protected:
  ~Reducer() = default;
};

// The walk, in reduce_walk.cpp; with `convert`, over items of that many bytes which it makes the reducer's.
void reduce_with(const Reducer& reducer, ConvertFn convert, int64_t item, const void* x, const ReduceShape& shape);
// Without convert_fns' care for the payloads of NaNs: results have one NaN.
void halves_to_float(void* to, const void* from, int64_t n);
void bfloats_to_float(void* to, const void* from, int64_t n);

namespace {

constexpr int64_t kMaxWidth = 1024;  // columns taken together
constexpr int64_t kFlatRows = 16;    // rows joined into one wide row when there are few columns
constexpr int64_t kBatch = 64;       // rows whose results are stored together
constexpr int64_t kGatherBytes = 32768;
constexpr int64_t kStateBytes = 24;  // the largest State
constexpr int64_t kMaxLanes = 16;

inline int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Elements per task: enough to be worth a hand-off, few enough to share out.
inline int64_t task_elements(int64_t total) { return at_most(at_least(total / 32, 65536), 262144); }

template <class R, class Store> class Adapter final : public Reducer {
  using In = typename R::In;
  using State = typename R::State;
  static_assert(sizeof(State) <= kStateBytes && R::kLanes <= kMaxLanes);

 public:
  Adapter(const R& reducer, const Store& store)
      : Reducer(R::kLanes, sizeof(In), sizeof(State)), reducer_(reducer), store_(store) {}

  void empty(void* state) const override { *static_cast<State*>(state) = reducer_.empty(); }
  void row(const char* p, int64_t n, void* state) const override {
    *static_cast<State*>(state) = reducer_.row(reinterpret_cast<const In*>(p), n);
  }
  void rows(const char* p, int64_t count, int64_t n, int64_t stride, void* states) const override {
    const In* x = reinterpret_cast<const In*>(p);
    State* s = static_cast<State*>(states);
    if constexpr (requires { reducer_.rows(x, count, n, stride, s); }) {
      if (n <= R::kBlock) return reducer_.rows(x, count, n, stride, s);
    }
    for (int64_t i = 0; i < count; ++i) s[i] = reducer_.row(x + i * stride, n);
  }
  void cols(const char* p, int64_t n, int64_t stride, int64_t width, void* states) const override {
    reducer_.cols(reinterpret_cast<const In*>(p), n, stride, width, static_cast<State*>(states));
  }
  void join(void* states, const void* more, int64_t count, int64_t scale, int64_t offset, bool first) const override {
    State* s = static_cast<State*>(states);
    const State* m = static_cast<const State*>(more);
    for (int64_t i = 0; i < count; ++i) {
      State placed = reducer_.place(m[i], scale, offset);
      s[i] = first ? placed : reducer_.join(s[i], placed);
    }
  }
  void store(int64_t output, const void* states, int64_t count) const override {
    const State* s = static_cast<const State*>(states);
    for (int64_t i = 0; i < count; ++i) store_(output + i, s[i]);
  }

 private:
  const R& reducer_;
  const Store& store_;
};

// The input of a reduction: elements of the reducer's type, or of one to be converted to it.
struct Source {
  const void* data;
  ConvertFn convert = nullptr;
  int64_t item = 0;

  Source(const void* data) : data(data) {}
  Source(const void* data, DType from, DType to) : data(data), item(kItemSize[static_cast<int>(from)]) {
    convert = from == DType::F16    ? halves_to_float
              : from == DType::BF16 ? bfloats_to_float
                                    : convert_fns[static_cast<int>(to)][static_cast<int>(from)];
  }
};

template <class R, class Store> void reduce(const R& reducer, const Source& x, const ReduceShape& shape,
                                            const Store& store) {
  reduce_with(Adapter<R, Store>(reducer, store), x.convert, x.item, x.data, shape);
}

// Results made as `wide` and delivered as `out`, at `to` (which may be null).
class WideResult {
 public:
  WideResult(const ReduceShape& shape, DType wide, void* to, DType out)
      : count_(to == nullptr ? 0 : at_least(0, shape.outer) * at_least(0, shape.inner)),
        convert_(convert_fns[static_cast<int>(out)][static_cast<int>(wide)]),
        to_(to),
        wide_(count_ * kItemSize[static_cast<int>(wide)]) {}
  void* get() const { return to_ == nullptr ? nullptr : static_cast<char*>(wide_); }
  void deliver() const {
    if (to_ != nullptr) convert_(to_, wide_, count_);
  }

 private:
  int64_t count_;
  ConvertFn convert_;
  void* to_;
  Scratch<char> wide_;
};

// Half types are reduced as floats; f(x, out) reduces floats.
inline bool is_half(DType d) { return d == DType::F16 || d == DType::BF16; }
template <class F> void as_float(DType in, const void* x, const ReduceShape& shape, void* out, const F& f) {
  const WideResult result(shape, DType::F32, out, in);
  f(Source(x, in, DType::F32), result.get());
  result.deliver();
}

}  // namespace
}  // namespace rl::cpu::RL_ISA
