// The gradient of a convolution's weights: a product with G as rows and patches
// as columns, summed over positions.
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

constexpr int64_t kGathered = kDepth + 2 * 16;  // from one gathered line to the next
constexpr int64_t kMaxParts = 8;                // of a sum over positions, for threads to share
constexpr int64_t kDirectRun = 256;             // adjacent positions for which an operand need not be packed

// The patches have to lie position by position:
// with many channels the input is turned around once (all channels of a
// position side by side), and what a tap sees are rows of that; with few, the
// lines of all channels and taps are gathered and turned around.

template <class P> class WeightGradient {
 public:
  WeightGradient(const ConvProduct& c, const P* x, const P* g, P* dw)
      : c_(c), x_(x), g_(g), dw_(dw), per_image_(c.planes * c.rows * c.run), columns_(c.channels * c.taps) {
    // Turning the input around also turns the result, which is worth it where
    // there are not much fewer positions than rows.
    turned_ = c.channels >= 8 && (c.taps == 1 || 2 * c.images * per_image_ > c.m);
    strip_ = mk_.strip();
    // Taps side by side see channels side by side: one band of columns.
    band_ = 1;
    while (band_ < c.taps && c.x_taps[band_] == c.x_taps[band_ - 1] + 1) ++band_;
    if (c.taps % band_ != 0) band_ = 1;
    for (int64_t t = 0; t < c.taps; ++t)
      if (c.x_taps[t] != c.x_taps[t - t % band_] + t % band_) band_ = 1;
    strips_per_band_ = (band_ * c.channels + strip_ - 1) / strip_;
    strips_ = turned_ ? c.taps / band_ * strips_per_band_ : (columns_ + strip_ - 1) / strip_;
    row_tiles_ = mk_.count(c.m);
    // With few columns G is read where it lies.
    direct_ = columns_ <= 128 && per_image_ >= kDirectRun && c.m >= 16;
    in_place_ = turned_ && c.taps == 1 && c.rows == 1 && c.planes == 1 && (direct_ || c.x_channel == c.run);
    images_ =
        std::clamp<int64_t>(kPanelElements / (direct_ ? c.channels * c.x_channel : c.m * per_image_), 1, c.images);
    // A small result is summed in several parts, whose number depends on the
    // shapes alone.
    parts_ = std::clamp<int64_t>(std::min(block_count(images_), 16 / ((columns_ + 31) / 32)), 1, kMaxParts);
  }

  void group(int64_t group) {
    bool in_place = parts_ == 1 && (!turned_ || c_.taps == 1);
    P* to = dw_ + group * c_.m * columns_;
    P* sums = in_place ? to : buffers().sums.get<P>(parts_ * c_.m * columns_);
    P* packed = direct_ ? nullptr : buffers().gradient.get<P>(images_ * per_image_ * c_.m);
    P* turned = turned_ ? buffers().weights.get<P>(images_ * c_.x_channel * c_.channels + 64) : nullptr;
    for (int64_t first = 0; first < c_.images; first += images_) {
      int64_t images = std::min(images_, c_.images - first);
      const P* x = x_ + group * c_.x_group + first * c_.x_image;
      const P* g = g_ + group * c_.o_group + first * c_.o_image;
      if (!direct_) pack(g, images, packed);
      if (turned_) turn(x, images, turned);
      add(x, group * c_.x_group + first * c_.x_image, turned, direct_ ? g : packed, images, first == 0, sums);
    }
    if (!in_place) collect(sums, to);
    buffers().gradient.trim();
    buffers().weights.trim();
  }

 private:
  static int64_t blocks_of(int64_t n) { return (n + kDepth - 1) / kDepth; }
  int64_t tile_begin(int64_t t) const { return c_.m * t / row_tiles_; }

  // Blocks of positions. Where G is read in place they end where an image does.
  int64_t block_count(int64_t images) const {
    return direct_ ? images * blocks_of(per_image_) : blocks_of(images * per_image_);
  }
  int64_t block_begin(int64_t block, int64_t images) const {
    if (!direct_) return images * per_image_ * block / blocks_of(images * per_image_);
    const int64_t each = blocks_of(per_image_);
    return block / each * per_image_ + per_image_ * (block % each) / each;
  }

  // G in blocks of positions, in them tiles of rows.
  void pack(const P* g, int64_t images, P* out) {
    const int64_t n = images * per_image_, blocks = blocks_of(n);
    parallel_for(blocks * row_tiles_, grain_for(kDepth * mk_.rows, kGrainMoves), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        int64_t kb = item / row_tiles_, t = item % row_tiles_, i0 = tile_begin(t), rows = tile_begin(t + 1) - i0;
        int64_t first = n * kb / blocks, depth = n * (kb + 1) / blocks - first;
        P* o = out + first * c_.m + i0 * depth;
        for (int64_t p = 0; p < depth;) {
          int64_t image = (first + p) / per_image_, at = (first + p) % per_image_;
          int64_t length = std::min(per_image_ - at, depth - p);
          mk_.pack(g + image * c_.o_image + i0 * c_.o_m + at, c_.o_m, 1, rows, rows, length, o + p * rows);
          p += length;
        }
      }
    });
  }

  // out[image][place][channel] = x[image][channel][place]
  void turn(const P* x, int64_t images, P* out) {
    constexpr int64_t kPlaces = 512;
    const int64_t pieces = (c_.x_channel + kPlaces - 1) / kPlaces;
    parallel_for(images * pieces, grain_for(kPlaces * c_.channels, kGrainMoves), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        int64_t image = item / pieces, at = item % pieces * kPlaces;
        mk_.pack(x + image * c_.x_image + at, c_.x_channel, 1, c_.channels, c_.channels,
                 std::min(kPlaces, c_.x_channel - at), out + (image * c_.x_channel + at) * c_.channels);
      }
    });
  }

  void add(const P* x, int64_t x_at, const P* turned, const P* g, int64_t images, bool fresh, P* sums) {
    const int64_t n = images * per_image_, blocks = block_count(images);
    ConvProduct places = c_;
    if (turned_) places.x_image = c_.x_channel;
    // Several strips to a task: they look at the same positions, which stay in
    // the cache.
    // As many to each thread: there are not many of them.
    const int64_t items = parts_ * strips_, threads = num_threads();
    int64_t each = 4;
    while (each > 1 && items % (each * threads) != 0) --each;
    const int64_t share = items % (each * threads) == 0 ? items / (each * threads) : items / (4 * threads);
    const int64_t grain = std::max(share, grain_for(n / parts_ * c_.m * strip_, kGrainWork));
    parallel_for(items, grain, [&](int64_t begin, int64_t end) {
      P* patches = buffers().patches.get<P>(kDepth * strip_ + 2 * kBlock<P>);
      Run runs[kDepth + 1];
      for (int64_t part = begin / strips_; part * strips_ < end; ++part) {
        const int64_t s0 = std::max<int64_t>(begin - part * strips_, 0), s1 = std::min(strips_, end - part * strips_);
        const int64_t first_block = blocks * part / parts_;
        for (int64_t kb = first_block; kb < blocks * (part + 1) / parts_; ++kb) {
          int64_t first = block_begin(kb, images), depth = block_begin(kb + 1, images) - first;
          int64_t count = find_runs(places, first, depth, runs);
          TileOut<P> to{fresh && kb == first_block ? Finish::set : Finish::add, nullptr, columns_, nullptr, P(0)};
          for (int64_t s = s0; s < s1; ++s) {
            int64_t tap = s / strips_per_band_ * band_, at = s % strips_per_band_ * strip_;
            int64_t column = turned_ ? tap * c_.channels + at : s * strip_;
            int64_t width = std::min(strip_, turned_ ? band_ * c_.channels - at : columns_ - column);
            const P* columns = patches;
            if (in_place_)
              columns = turned + (runs[0].x + c_.x_taps[0]) * c_.channels + at;
            else if (turned_)
              copy_places(turned + c_.x_taps[tap] * c_.channels + at, runs, count, width, patches);
            else
              gather(x, x_at, runs, count, depth, column, width, patches);
            const int64_t columns_stride = in_place_ ? c_.channels : strip_;
            for (int64_t t = 0; t < row_tiles_; ++t) {
              int64_t i0 = tile_begin(t), rows = tile_begin(t + 1) - i0;
              to.dst = sums + (part * c_.m + i0) * columns_ + column;
              if (direct_)
                mk_.run(rows, width, depth, g + first / per_image_ * c_.o_image + i0 * c_.o_m + first % per_image_,
                        c_.o_m, 1, columns, columns_stride, to);
              else
                mk_.run(rows, width, depth, g + first * c_.m + i0 * depth, 1, rows, columns, columns_stride, to);
            }
          }
        }
      }
    });
  }

  // A strip of channels of every position; what is copied past the strip's
  // width is overwritten or not looked at.
  void copy_places(const P* from, const Run* runs, int64_t count, int64_t width, P* out) const {
    for (int64_t r = 0; r < count; ++r) {
      const P* at = from + runs[r].x * c_.channels;
      P* o = out + runs[r].at * strip_;
      if (width > kBlock<P>) {
        for (int64_t i = 0; i < runs[r].count; ++i, at += c_.channels, o += strip_)
          for (int64_t j = 0; j < strip_; j += kBlock<P>) {
            std::memcpy(o + j, at + j, 64);
            __builtin_prefetch(at + 8 * c_.channels + j);
          }
      } else {
        for (int64_t i = 0; i < runs[r].count; ++i, at += c_.channels, o += strip_) std::memcpy(o, at, 64);
      }
    }
  }

  void gather(const P* x, int64_t x_at, const Run* runs, int64_t count, int64_t depth, int64_t column, int64_t width,
              P* out) const {
    P* lines = buffers().lines.get<P>(strip_ * kGathered + kBlock<P>);
    bool loose = may_overread<P>(c_, x_at, runs, count);
    for (int64_t j = 0; j < width; ++j) {
      int64_t channel = (column + j) / c_.taps, tap = (column + j) % c_.taps;
      copy_runs(x + channel * c_.x_channel + c_.x_taps[tap], runs, count, loose, lines + j * kGathered);
    }
    mk_.pack(lines, kGathered, 1, width, strip_, depth, out);
  }

  // The parts added, and with turned channels their order restored.
  void collect(P* sums, P* out) {
    const int64_t size = c_.m * columns_;
    parallel_for(c_.m, grain_for(columns_ * parts_, kGrainMoves), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        P* row = sums + i * columns_;
        for (int64_t part = 1; part < parts_; ++part)
          for (int64_t j = 0; j < columns_; ++j) row[j] += row[part * size + j];
        if (turned_ && c_.taps > 1)
          mk_.pack(row, c_.channels, 1, c_.taps, c_.taps, c_.channels, out + i * columns_);
        else
          std::copy(row, row + columns_, out + i * columns_);
      }
    });
  }

  const ConvProduct& c_;
  const Tiles<P>& mk_ = tiles<P>();
  const P *x_, *g_;
  P* dw_;
  int64_t per_image_, columns_, strip_, strips_per_band_, band_, strips_, row_tiles_, images_, parts_;
  bool turned_, direct_, in_place_;
};

// With few channels it is G that is turned around, and the lines of all
// channels and taps that are the rows: they are gathered, and multiplied as
// they lie.
template <class P> class WeightGradientByLines {
 public:
  static bool suits(const ConvProduct& c) {
    const int64_t rounded = (c.m + kBlock<P> - 1) / kBlock<P> * kBlock<P>;
    return c.channels < 8 && c.channels * c.taps >= 28 && 4 * c.m >= 3 * rounded &&
           c.images * c.planes * c.rows * c.run > (kMaxParts - 1) * kDepth;
  }
  WeightGradientByLines(const ConvProduct& c, const P* x, const P* g, P* dw)
      : c_(c), x_(x), g_(g), dw_(dw), per_image_(c.planes * c.rows * c.run), rows_(c.channels * c.taps) {
    blocks_ = (c.images * per_image_ + kDepth - 1) / kDepth;
    parts_ = kMaxParts;
  }

  void group(int64_t group) {
    const int64_t size = rows_ * c_.m;
    P* sums = buffers().sums.get<P>(parts_ * size);
    parallel_for(parts_, grain_for(size * c_.images * per_image_ / parts_, kGrainWork), [&](int64_t b, int64_t e) {
      for (int64_t part = b; part < e; ++part)
        for (int64_t kb = blocks_ * part / parts_; kb < blocks_ * (part + 1) / parts_; ++kb)
          add(group, kb, kb == blocks_ * part / parts_, sums + part * size);
    });
    P* dw = dw_ + group * size;
    parallel_for(rows_, grain_for(c_.m * parts_, kGrainMoves), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        for (int64_t part = 1; part < parts_; ++part)
          for (int64_t i = 0; i < c_.m; ++i) sums[r * c_.m + i] += sums[part * size + r * c_.m + i];
    });
    mk_.pack(sums, c_.m, 1, rows_, rows_, c_.m, dw);
  }

 private:
  void add(int64_t group, int64_t block, bool fresh, P* sums) const {
    const int64_t n = c_.images * per_image_, first = n * block / blocks_, depth = n * (block + 1) / blocks_ - first;
    const int64_t strip = mk_.strip(), row_tiles = mk_.count(rows_);
    Run runs[kDepth + 1];
    const int64_t count = find_runs(c_, first, depth, runs);
    P* lines = buffers().lines.get<P>(rows_ * kGathered + kBlock<P>);
    const P* x = x_ + group * c_.x_group;
    const bool loose = may_overread<P>(c_, group * c_.x_group, runs, count);
    for (int64_t r = 0; r < rows_; ++r)
      copy_runs(x + r / c_.taps * c_.x_channel + c_.x_taps[r % c_.taps], runs, count, loose, lines + r * kGathered);
    P* packed = buffers().patches.get<P>(kDepth * strip);
    TileOut<P> to{fresh ? Finish::set : Finish::add, nullptr, c_.m, nullptr, P(0)};
    for (int64_t i0 = 0; i0 < c_.m; i0 += strip) {
      const int64_t width = std::min(strip, c_.m - i0);
      for (int64_t p = 0; p < depth;) {
        const int64_t image = (first + p) / per_image_, at = (first + p) % per_image_;
        const int64_t length = std::min(per_image_ - at, depth - p);
        mk_.pack(g_ + group * c_.o_group + image * c_.o_image + i0 * c_.o_m + at, c_.o_m, 1, width, strip, length,
                 packed + p * strip);
        p += length;
      }
      for (int64_t t = 0; t < row_tiles; ++t) {
        const int64_t row = rows_ * t / row_tiles, height = rows_ * (t + 1) / row_tiles - row;
        to.dst = sums + row * c_.m + i0;
        mk_.run(height, width, depth, lines + row * kGathered, kGathered, 1, packed, strip, to);
      }
    }
  }

  const ConvProduct& c_;
  const Tiles<P>& mk_ = tiles<P>();
  const P *x_, *g_;
  P* dw_;
  int64_t per_image_, rows_, blocks_, parts_;
};

template <class P>
void weight_gradient(const ConvProduct& c, const P* x, const P* g, P* dw) {
  auto each = [&](auto all) {
    auto some = [&](int64_t begin, int64_t end) {
      for (int64_t group = begin; group < end; ++group) all.group(group);
    };
    if (c.groups >= 2 * num_threads())
      parallel_for(c.groups, grain_for(c.m * c.channels * c.taps * c.images * c.planes * c.rows * c.run, kGrainWork),
                   some);
    else
      some(0, c.groups);
  };
  if (WeightGradientByLines<P>::suits(c))
    each(WeightGradientByLines<P>(c, x, g, dw));
  else
    each(WeightGradient<P>(c, x, g, dw));
}

void weight_gradient_any(DType dtype, const ConvProduct& c, const void* x, const void* g, void* dw) {
  with_type(dtype, [&]<class P>(P) {
    weight_gradient(c, static_cast<const P*>(x), static_cast<const P*>(g), static_cast<P*>(dw));
  });
}

}  // namespace

extern const ConvWeightTable conv_weight_table = {weight_gradient_any};

}  // namespace rl::cpu::RL_ISA
