// What the kernels of convolution share: runs of adjacent positions, and copying what they see. Included inside the
// namespace of one instruction set (no include guard is wanted, no include is made here).

constexpr int64_t kGrainWork = 1 << 18;      // multiplications worth handing to another thread
constexpr int64_t kGrainMoves = 1 << 14;     // the same for copied elements
constexpr int64_t kPanelElements = 1 << 18;  // of gradients packed at once: the second-level cache holds them
constexpr int64_t kStripsAtOnce = 8;         // that share a block of weights in the cache
constexpr int64_t kMaxStrip = 32;

template <class P> constexpr int64_t kBlock = 64 / static_cast<int64_t>(sizeof(P));  // elements copied at once

template <class P> const Tiles<P>& tiles() {
  if constexpr (sizeof(P) == 4)
    return tiles_f32;
  else
    return tiles_f64;
}

struct Buffers {
  Scratch weights, patches, lines, gradient, sums;
};
// Behind a pointer: a thread's own memory is scarce in a library that is loaded late (allocator.h: RL_FAST_TLS).
Buffers& buffers() {
  static thread_local const std::unique_ptr<Buffers> b = std::make_unique<Buffers>();
  return *b;
}

int64_t grain_for(int64_t work_per_item, int64_t grain) { return std::max<int64_t>(1, grain / (work_per_item + 1)); }

// Adjacent positions of one run: where they stand in the list asked for, what they read, where they are written.
struct Run {
  int64_t at, count, x, o;
};

// The runs of positions [first, first + count).
[[maybe_unused]] int64_t find_runs(const ConvProduct& c, int64_t first, int64_t count, Run* runs) {
  int64_t column = first % c.run, line = first / c.run;
  int64_t row = line % c.rows, plane = line / c.rows % c.planes, image = line / c.rows / c.planes;
  int64_t n = 0;
  for (int64_t at = 0; at < count;) {
    int64_t length = std::min(c.run - column, count - at);
    runs[n++] = {at, length, image * c.x_image + plane * c.x_plane + row * c.x_row + column * c.x_step,
                 image * c.o_image + plane * c.o_plane + row * c.o_row + column * c.o_step};
    at += length;
    column = 0;
    if (++row == c.rows) {
      row = 0;
      if (++plane == c.planes) plane = 0, ++image;
    }
  }
  return n;
}

// Copies runs one after the other, in whole blocks: what is written past a run's end is overwritten by the next, or lies
// past the end of all; what is read past it is still x where `loose`.
template <class P>
inline void copy_runs(const P* x, const Run* runs, int64_t n, bool loose, P* out, int64_t step = 1) {
  if (!loose) {
    for (int64_t r = 0; r < n; ++r)
      for (int64_t i = 0; i < runs[r].count; ++i) out[runs[r].at + i] = x[runs[r].x + i * step];
    return;
  }
  for (int64_t r = 0; r < n; ++r) {
    const P* from = x + runs[r].x;
    P* to = out + runs[r].at;
    for (int64_t i = 0; i < runs[r].count; i += kBlock<P>) std::memcpy(to + i, from + i, 64);
  }
}

// Whether whole blocks may be read at every tap of every channel.
template <class P> bool may_overread(const ConvProduct& c, int64_t from, const Run* runs, int64_t n) {
  int64_t farthest = 0, tap = *std::max_element(c.x_taps, c.x_taps + c.taps);
  for (int64_t r = 0; r < n; ++r) farthest = std::max(farthest, runs[r].x + runs[r].count * c.x_step);
  return from + (c.channels - 1) * c.x_channel + tap + farthest + c.x_step * kBlock<P> <= c.x_size;
}

template <class F> void with_type(DType dtype, F f) {
  if (dtype == DType::F64)
    f(double());
  else
    f(float());
}
