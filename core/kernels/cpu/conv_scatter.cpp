// Convolution by products that are added where they belong: the input is multiplied by every tap as it lies, and the
// products of each tap move to the results they are part of. The input is packed once, not once per tap, rows of the
// product are taps of channels, so that one channel of results keeps the micro-kernels busy, and weights that lie so
// are read in place.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/conv.h"
#include "kernels/cpu/gemm_tiles.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

#include "kernels/cpu/conv_runs.h"
#include "kernels/cpu/gemm_micro.h"

constexpr int64_t kRowsAtOnce = 144;           // taps of channels, whose weights stay in the cache
constexpr int64_t kWide = 256;                 // positions multiplied before they are added
constexpr int64_t kApart = kWide + 16;         // rows of products a power of two apart would share sets of the cache
constexpr int64_t kCached = int64_t{1} << 16;  // elements of an input that is read where it lies

template <class P> class Scatter {
 public:
  Scatter(const ConvScatter& c, const P* x, const P* w, const P* bias, P* out)
      : c_(c), x_(x), w_(w), bias_(bias), out_(out), k_blocks_((c.channels + kDepth - 1) / kDepth) {
    for (int64_t p = 0; p < c.phase_count; ++p) {
      const ConvScatter::Phase& phase = c.phases[p];
      extent_ = std::max(extent_, (phase.planes - 1) * c.x_plane + (phase.rows - 1) * c.x_row + phase.run);
      rows_ = std::max(rows_, phase.rows);
      flat_ = flat_ && phase.planes == 1;
    }
    low_ = c.shifts[c.order[0]], high_ = c.shifts[c.order[c.used - 1]];
    if (c.across) make_masks();
  }

  void run() {
    const int64_t at_once = std::clamp<int64_t>(kRowsAtOnce / c_.taps, 1, c_.m);
    const int64_t parts = (c_.m + at_once - 1) / at_once, tasks = c_.images * c_.groups * parts;
    // Lines on a block's edge are multiplied twice.
    int64_t blocks = 1;
    if (flat_ && tasks < 2 * num_threads()) blocks = std::clamp<int64_t>(2 * num_threads() / tasks, 1, rows_ / 16 + 1);
    const int64_t work = c_.m * c_.taps * c_.channels * (c_.x_end - c_.x_begin) / (parts * blocks);
    parallel_for(tasks * blocks, grain_for(work, kGrainWork), [&](int64_t begin, int64_t end) {
      const P* weights = nullptr;  // every image of a part sees the same
      for (int64_t item = begin; item < end; ++item) {
        const int64_t block = item % blocks, image = item / blocks % c_.images, rest = item / blocks / c_.images;
        const int64_t part = rest % parts, group = rest / parts;
        const int64_t i0 = c_.m * part / parts, i1 = c_.m * (part + 1) / parts;
        if (!weights || item % (blocks * c_.images) == 0) weights = pack_weights(group, i0, i1);
        task(image, group, i0, i1, rows_ * block / blocks, rows_ * (block + 1) / blocks, weights);
      }
    });
    buffers().weights.trim();
    buffers().lines.trim();
  }

 private:
  using Bits = std::conditional_t<sizeof(P) == 4, int32_t, int64_t>;
  typedef Bits BitsVec __attribute__((vector_size(kVecBytes)));

  // Channels [i0, i1) of one image's results, their lines [r0, r1).
  void task(int64_t image, int64_t group, int64_t i0, int64_t i1, int64_t r0, int64_t r1, const P* weights) {
    const int64_t rows = (i1 - i0) * c_.taps, tiles = mk_.count(rows), strip = mk_.strip();
    auto tile_begin = [&](int64_t t) { return rows * t / tiles; };
    const int64_t first = r0 * c_.x_row, extent = flat_ ? (r1 - r0) * c_.x_row : extent_;
    const int64_t apart = extent + kBlock<P>;
    P* sums = buffers().lines.get<P>((i1 - i0) * c_.phase_count * apart + kBlock<P>);
    for (int64_t i = i0; i < i1; ++i) {
      P* at = sums + (i - i0) * c_.phase_count * apart;
      std::fill(at, at + c_.phase_count * apart, bias_ ? bias_[group * c_.m + i] : P(0));
    }
    P* products = buffers().sums.get<P>(rows * kApart);
    P* packed = buffers().patches.get<P>(kDepth * kWide);
    const P* x = x_ + image * c_.x_image + group * c_.x_group;
    const bool in_place = c_.channels * c_.x_channel <= kCached;
    const int64_t begin = std::max(c_.x_begin, first + low_), end = std::min(c_.x_end, first + extent + high_);
    for (int64_t f = begin; f < end; f += kWide) {
      const int64_t wide = std::min(kWide, end - f);
      for (int64_t kb = 0; kb < k_blocks_; ++kb) {
        const int64_t k0 = c_.channels * kb / k_blocks_, depth = c_.channels * (kb + 1) / k_blocks_ - k0;
        TileOut<P> to{kb > 0 ? Finish::add : Finish::set, nullptr, kApart, nullptr, P(0)};
        if (!in_place) pack(x + k0 * c_.x_channel + f, wide, depth, packed);
        for (int64_t s = 0; s < wide; s += strip) {
          const int64_t columns = std::min(strip, wide - s);
          const P* from = in_place ? x + k0 * c_.x_channel + f + s : packed + s * depth;
          const int64_t from_stride = in_place ? c_.x_channel : strip;
          for (int64_t t = 0; t < tiles; ++t) {
            const int64_t row = tile_begin(t), height = tile_begin(t + 1) - row;
            to.dst = products + row * kApart + s;
            mk_.run(height, columns, depth, weights + rows * k0 + row * depth, 1, height, from, from_stride, to);
          }
        }
      }
      for (int64_t i = 0; i < i1 - i0; ++i) add(products + i * c_.taps * kApart, f, wide, first, apart, i, sums);
    }
    for (int64_t i = i0; i < i1; ++i)
      put(sums + (i - i0) * c_.phase_count * apart, apart, r0, r1,
          out_ + group * c_.o_group + image * c_.o_image + i * c_.o_m);
  }

  // Blocks of k, in them tiles of rows. What is copied past a tile's row is overwritten by the next.
  const P* pack_weights(int64_t group, int64_t i0, int64_t i1) const {
    const int64_t rows = (i1 - i0) * c_.taps, tiles = mk_.count(rows);
    const P* w = w_ + group * c_.w_group + i0 * c_.w_m;
    P* out = buffers().weights.get<P>(rows * c_.channels + kBlock<P>);
    const bool adjacent = c_.w_m == c_.taps, last = group + 1 == c_.groups && i1 == c_.m;
    for (int64_t kb = 0; kb < k_blocks_; ++kb) {
      const int64_t k0 = c_.channels * kb / k_blocks_, k1 = c_.channels * (kb + 1) / k_blocks_, depth = k1 - k0;
      for (int64_t t = 0; t < tiles; ++t) {
        const int64_t row = rows * t / tiles, height = rows * (t + 1) / tiles - row;
        const P* from = w + k0 * c_.w_channel + row;
        P* o = out + rows * k0 + row * depth;
        if (!adjacent) {
          for (int64_t r = row; r < row + height; ++r)
            for (int64_t k = 0; k < depth; ++k)
              o[k * height + r - row] = w[(k0 + k) * c_.w_channel + r / c_.taps * c_.w_m + r % c_.taps];
          continue;
        }
        // Whole blocks as long as what they write too much is still to be written, and what they read is there.
        const int64_t few = (2 * kBlock<P> + height - 1) / height;
        const int64_t loose = std::min(depth - few, last ? c_.channels - k0 - 2 * kBlock<P> : depth);
        for (int64_t k = 0; k < depth; ++k, from += c_.w_channel, o += height) {
          __builtin_prefetch(from + 12 * c_.w_channel);
          __builtin_prefetch(from + 12 * c_.w_channel + height - 1);
          if (k < loose)
            for (int64_t r = 0; r < height; r += kBlock<P>) std::memcpy(o + r, from + r, 64);
          else
            std::copy(from, from + height, o);
        }
      }
    }
    return out;
  }

  // Positions of one block of k in strips.
  void pack(const P* x, int64_t wide, int64_t depth, P* out) const {
    const int64_t strip = mk_.strip(), whole = wide / strip * strip;
    for (int64_t k = 0; k < depth; ++k, x += c_.x_channel, out += strip) {
      for (int64_t s = 0; s < whole; s += kStrip<P>)
        for (int v = 0; v < kVecs; ++v) store(out + s * depth + v * kLanes<P>, load(x + s + v * kLanes<P>));
      std::copy(x + whole, x + wide, out + whole * depth);
      for (int64_t s = 0; s < wide; s += kBlock<P>) __builtin_prefetch(x + kWide + s, 0, 2);
    }
  }

  // Without border a line's first and last positions would reach the lines beside it.
  void make_masks() {
    const int64_t width = c_.x_row;
    masks_ = std::make_unique<Bits[]>(static_cast<size_t>(c_.taps * mask_size()));
    for (int64_t t = 0; t < c_.taps; ++t)
      for (int64_t i = 0; i < mask_size(); ++i) {
        const int64_t from = i % width + c_.across[t];
        masks_[static_cast<size_t>(t * mask_size() + i)] = from >= 0 && from < width ? -1 : 0;
      }
  }
  int64_t mask_size() const { return c_.x_row + kLanes<P>; }

  // In the order of their shifts: so the parts of a sum are added in the same order wherever pieces begin.
  void add(const P* products, int64_t f, int64_t wide, int64_t first, int64_t apart, int64_t i, P* sums) const {
    constexpr int L = kLanes<P>;
    for (int64_t q = 0; q < c_.used; ++q) {
      const int64_t t = c_.order[q], shift = c_.shifts[t] + first;
      const int64_t begin = std::max(f, shift), end = std::min(f + wide, shift + apart - kBlock<P>);
      const P* from = products + t * kApart + begin - f;
      P* to = sums + (i * c_.phase_count + c_.phase_of[t]) * apart + begin - shift;
      if (end <= begin) continue;
      if (masks_ && c_.across[t] != 0)
        add_line(
            to, from, end - begin,
            Masked{&masks_[static_cast<size_t>(t * mask_size())], c_.x_row, L % c_.x_row, (begin - shift) % c_.x_row});
      else
        add_line(to, from, end - begin, [](Vec<P> v) { return v; });
    }
  }

  struct Masked {
    const Bits* masks;
    int64_t width, step, column;
    Vec<P> operator()(Vec<P> v) {
      BitsVec m;
      std::memcpy(&m, masks + column, sizeof(m));
      column += step;
      if (column >= width) column -= width;
      return reinterpret_cast<Vec<P>>(reinterpret_cast<BitsVec>(v) & m);
    }
  };

  template <class F> static void add_line(P* to, const P* from, int64_t n, F seen) {
    constexpr int L = kLanes<P>;
    int64_t at = 0;
    for (; at + L <= n; at += L) store(to + at, load(to + at) + seen(load(from + at)));
    if (at < n) {
      const int part = static_cast<int>(n - at);
      store_part(to + at, load_part(to + at, part) + seen(load_part(from + at, part)), part);
    }
  }

  // The sums of all phases to their places.
  void put(const P* sums, int64_t apart, int64_t r0, int64_t r1, P* out) const {
    for (int64_t p = 0; p < c_.phase_count;) {
      const ConvScatter::Phase& phase = c_.phases[p];
      // In lines of one element the next phase may be that of the next line, which ends sooner.
      const bool pair = c_.o_step == 2 && p + 1 < c_.phase_count && c_.phases[p + 1].o == phase.o + 1 &&
                        c_.phases[p + 1].rows == phase.rows && c_.phases[p + 1].planes == phase.planes;
      for (int64_t z = 0; z < phase.planes; ++z)
        for (int64_t row = r0; row < std::min(r1, phase.rows); ++row) {
          const P* even = sums + p * apart + z * c_.x_plane + (row - r0) * c_.x_row;
          P* to = out + phase.o + z * c_.o_plane + row * c_.o_row;
          if (pair) {
            const P* odd = even + apart;
            const int64_t n = c_.phases[p + 1].run;
            for (int64_t q = 0; q < n; ++q) to[2 * q] = even[q], to[2 * q + 1] = odd[q];
            if (n < phase.run) to[2 * n] = even[n];
          } else if (c_.o_step == 1) {
            std::copy(even, even + phase.run, to);
          } else {
            for (int64_t q = 0; q < phase.run; ++q) to[q * c_.o_step] = even[q];
          }
        }
      p += pair ? 2 : 1;
    }
  }

  const ConvScatter& c_;
  const Tiles<P>& mk_ = tiles<P>();
  const P *x_, *w_, *bias_;
  P* out_;
  int64_t k_blocks_, extent_ = 0, rows_ = 0, low_, high_;
  bool flat_ = true;
  std::unique_ptr<Bits[]> masks_;  // by tap
};

void scatter_any(DType dtype, const ConvScatter& c, const void* x, const void* w, const void* bias, void* out) {
  with_type(dtype, [&]<class P>(P) {
    Scatter<P>(c, static_cast<const P*>(x), static_cast<const P*>(w), static_cast<const P*>(bias), static_cast<P*>(out))
        .run();
  });
}

}  // namespace

extern const ConvScatterTable conv_scatter_table = {scatter_any};

}  // namespace rl::cpu::RL_ISA
